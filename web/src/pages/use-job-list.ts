import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { HEAD, jobLists, PAGE } from "../api/job-queries";
import type { JobView } from "../api/queries";
import { afterRead, beginChain, type Chain, isNewer, offsetsOf, pagesIn, rowsOf } from "../lib/job-chain";
import type { JobFilter } from "../lib/job-filter";

/** The newest jobs were certainly asked for after the list began. */
const LATER_MS = 1_000;

export interface JobList {
  status: "loading" | "failed" | "empty" | "ready";
  error: unknown;
  retry: () => void;
  /** Rows of the list as far as it has been read, and of the next page. */
  count: number;
  /** The job of a row; undefined while its page is read. */
  jobAt: (index: number) => JobView | undefined;
  /** Jobs that are newer than the list. */
  fresh: { count: number; more: boolean };
  /** Moves the list to the newest job. */
  showFresh: () => Promise<void>;
  updatedAt: number;
  stale: boolean;
}

/**
 * The jobs that match, newest first, from the newest one when the list was opened. New jobs do not move the rows. `from` and
 * `to` are the shown rows, which are kept up to date unless the list is frozen.
 */
export function useJobList(filter: JobFilter, from: number, to: number, frozen: boolean): JobList {
  const client = useQueryClient();
  const [generation, setGeneration] = useState(0);
  const top = useQuery(jobLists.top(filter, generation));
  const head = useQuery(jobLists.head(filter));
  const first = top.data?.items[0];
  const start = top.data?.next_cursor ?? null;
  const [grown, setGrown] = useState<{ start: string | null; chain: Chain }>({ start: null, chain: [] });
  const chain = useMemo(() => (grown.start === start ? grown.chain : beginChain(start, PAGE)), [grown, start]);
  const newest = useMemo(() => head.data?.items ?? [], [head.data]);

  // The first row belongs to no page; the newest jobs have its state, or show that it left the list.
  const firstNow = newest.find(({ job_id }) => job_id === first?.job_id);
  const isLater = head.dataUpdatedAt > top.dataUpdatedAt + LATER_MS;
  const reaches =
    head.data?.next_cursor === null ||
    newest.some(({ job_id }) => first !== undefined && isNewer(first.job_id, job_id));
  const hasLeft = first !== undefined && !firstNow && isLater && reaches;
  const firstRow = hasLeft ? undefined : (firstNow ?? first);
  const offsets = useMemo(() => offsetsOf(chain, firstRow ? 1 : 0), [chain, firstRow]);
  const shownPages = pagesIn(offsets, from, Math.max(to, from + 1));
  const pages = useQueries({
    queries: shownPages.map((at) => jobLists.page(filter, chain[at]?.cursor ?? "", !frozen)),
  });

  useEffect(() => {
    let next = chain;
    for (const [place, at] of shownPages.entries()) {
      const data = pages[place]?.data;
      if (data) next = afterRead(next, at, data.items, data.next_cursor, PAGE);
    }
    if (next !== chain) setGrown({ start, chain: next });
  });

  const loaded = new Map<number, JobView[]>();
  for (const [place, at] of shownPages.entries()) {
    const [page, data] = [chain[at], pages[place]?.data];
    if (page && data) loaded.set(at, rowsOf(page, data.items));
  }
  const jobAt = (index: number): JobView | undefined => {
    if (firstRow && index === 0) return firstRow;
    const at = shownPages.find((one) => index >= (offsets[one] ?? 0) && index < (offsets[one + 1] ?? 0));
    return at === undefined ? undefined : loaded.get(at)?.[index - (offsets[at] ?? 0)];
  };

  const showFresh = async () => {
    // The next list is complete before it replaces this one.
    const next = await client.fetchQuery(jobLists.top(filter, generation + 1));
    if (next.next_cursor) await client.fetchQuery(jobLists.page(filter, next.next_cursor, true));
    setGeneration(generation + 1);
  };
  const count = offsets.at(-1) ?? 0;
  const isEmpty = top.data !== undefined && count === 0;
  // An empty list has nothing that could move.
  const hasArrived = isEmpty && newest.length > 0 && !hasLeft;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the arrival counts
  useEffect(() => {
    if (hasArrived) void showFresh();
  }, [hasArrived]);

  const fresh = first ? newest.filter(({ job_id }) => isNewer(job_id, first.job_id)).length : 0;
  const failed = top.error ?? (count === 0 ? head.error : null);
  return {
    status: failed && !top.data ? "failed" : top.data === undefined ? "loading" : isEmpty ? "empty" : "ready",
    error: failed,
    retry: () => void top.refetch(),
    count,
    jobAt,
    fresh: { count: fresh, more: fresh === HEAD },
    showFresh,
    updatedAt: head.dataUpdatedAt,
    stale: head.isError,
  };
}
