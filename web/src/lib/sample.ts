/** The part of a file that is sent for a profile before the upload. */

/** A file up to this size is profiled as a whole. */
const WHOLE_BYTES = 8_000_000;
/** The beginning of a larger file. */
const SAMPLE_BYTES = 2_000_000;
const NEWLINE = 0x0a;
const QUOTE = 0x22;

export interface Sample {
  body: Blob;
  /** Whether the body is the whole file. */
  whole: boolean;
}

/** The whole file, or the first rows of a large one. Null if the file can't be cut: only the upload can read it. */
export async function sampleOf(file: Blob): Promise<Sample | null> {
  if (file.size <= WHOLE_BYTES) return { body: file, whole: true };
  const start = new Uint8Array(await file.slice(0, SAMPLE_BYTES).arrayBuffer());
  const end = endOfRows(start);
  return end === null ? null : { body: file.slice(0, end), whole: false };
}

/**
 * The end of the last complete row. A line break inside of quotes ends no row: then the quotes before it are odd in number.
 * Null for compressed files and UTF-16, where bytes are no characters, and for a row that is longer than the sample.
 */
export function endOfRows(bytes: Uint8Array): number | null {
  const [first, second] = bytes;
  const isGzip = first === 0x1f && second === 0x8b;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (isGzip || isUtf16) return null;
  let quotes = 0;
  let end: number | null = null;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === QUOTE) quotes += 1;
    else if (bytes[at] === NEWLINE && quotes % 2 === 0) end = at + 1;
  }
  return end;
}
