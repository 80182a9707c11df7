/**
 * A list of jobs as a chain of pages, of which only the shown ones are in memory. A page ends at the same job as when it was
 * first read, so jobs that leave a filtered list never appear on two pages.
 */

interface Row {
  job_id: string;
}

export interface Page {
  cursor: string;
  /** Rows of the page when it was last read; an estimate before. */
  size: number;
  /** The last job of the page when it was first read; null while the page is unread or the last one. */
  lastId: string | null;
  read: boolean;
}

export type Chain = readonly Page[];

/** Ids are UUIDv7: their order is the order of submission. */
export function isNewer(one: string, other: string): boolean {
  return one > other;
}

export function beginChain(cursor: string | null, estimate: number): Chain {
  return cursor ? [{ cursor, size: estimate, lastId: null, read: false }] : [];
}

/** The rows that belong to the page: not those of the next page, which move up when others leave the list. */
export function rowsOf<T extends Row>(page: Page, rows: readonly T[]): T[] {
  const { lastId } = page;
  return lastId === null ? [...rows] : rows.filter(({ job_id }) => !isNewer(lastId, job_id));
}

/** The chain after a page was read. The same object if nothing has changed. */
export function afterRead(
  chain: Chain,
  at: number,
  rows: readonly Row[],
  next: string | null,
  estimate: number,
): Chain {
  const page = chain[at];
  if (!page) return chain;
  const isLast = at === chain.length - 1;
  const lastId = page.lastId ?? (next && isLast ? (rows.at(-1)?.job_id ?? null) : null);
  const size = rowsOf({ ...page, lastId }, rows).length;
  const grows = isLast && next !== null && page.lastId === null;
  if (page.read && page.size === size && page.lastId === lastId && !grows) return chain;
  const changed = chain.map((one, index) => (index === at ? { ...one, size, lastId, read: true } : one));
  return grows ? [...changed, { cursor: next, size: estimate, lastId: null, read: false }] : changed;
}

/** The index of the first row of each page, and the number of all rows at the end. */
export function offsetsOf(chain: Chain, before: number): number[] {
  const offsets = [before];
  for (const { size } of chain) offsets.push((offsets.at(-1) ?? 0) + size);
  return offsets;
}

/** The pages with rows from `from` to before `to`. */
export function pagesIn(offsets: readonly number[], from: number, to: number): number[] {
  const found: number[] = [];
  for (let at = 0; at + 1 < offsets.length; at++) {
    const [start = 0, end = 0] = [offsets[at], offsets[at + 1]];
    if (start < to && end > from) found.push(at);
  }
  return found;
}
