import { describe, expect, it } from "vitest";
import { afterRead, beginChain, offsetsOf, pagesIn, rowsOf } from "./job-chain";

const rows = (...ids: string[]) => ids.map((job_id) => ({ job_id }));

describe("chain of pages", () => {
  it("grows by a page when its last one was read", () => {
    let chain = beginChain("c0", 3);
    chain = afterRead(chain, 0, rows("9", "8", "7"), "c1", 3);
    expect(chain.map(({ cursor, size, read }) => [cursor, size, read])).toEqual([
      ["c0", 3, true],
      ["c1", 3, false],
    ]);
    chain = afterRead(chain, 1, rows("6"), null, 3);
    expect(offsetsOf(chain, 1)).toEqual([1, 4, 5]);
    expect(beginChain(null, 3)).toEqual([]);
  });

  it("keeps the border between two pages when jobs leave the list", () => {
    let chain = afterRead(beginChain("c0", 3), 0, rows("9", "8", "7"), "c1", 3);
    // 8 has left, so the server fills the page with 6, which is on the next page.
    const again = rows("9", "7", "6");
    chain = afterRead(chain, 0, again, "c9", 3);
    expect(chain[0] && rowsOf(chain[0], again)).toEqual(rows("9", "7"));
    expect(chain.map(({ cursor }) => cursor)).toEqual(["c0", "c1"]);
    expect(offsetsOf(chain, 0)).toEqual([0, 2, 5]);
  });

  it("stays the same object while nothing changes", () => {
    const chain = afterRead(beginChain("c0", 2), 0, rows("9", "8"), "c1", 2);
    expect(afterRead(chain, 0, rows("9", "8"), "c1", 2)).toBe(chain);
    const ended = afterRead(beginChain("c0", 2), 0, rows("9"), null, 2);
    expect(afterRead(ended, 0, rows("9"), null, 2)).toBe(ended);
  });

  it("knows the shown pages", () => {
    const offsets = [1, 101, 201, 251];
    expect(pagesIn(offsets, 0, 30)).toEqual([0]);
    expect(pagesIn(offsets, 95, 125)).toEqual([0, 1]);
    expect(pagesIn(offsets, 240, 300)).toEqual([2]);
  });
});
