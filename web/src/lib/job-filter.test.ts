import { describe, expect, it } from "vitest";
import { formatCondition, narrowed, parseCondition, readSearch, refuseSearch, validFilter } from "./job-filter";

describe("filters of jobs", () => {
  it("reads and writes conditions", () => {
    expect(parseCondition("!failed, cancelled,failed")).toEqual({ negated: true, values: ["failed", "cancelled"] });
    expect(formatCondition({ negated: true, values: ["a", "b"] })).toBe("!a,b");
    expect(formatCondition({ negated: true, values: [] })).toBeUndefined();
  });

  it("drops what the server would refuse", () => {
    expect(validFilter({ status: "!failed,ended", algorithm: "knn", name: "a,b", search: " " })).toEqual({
      status: "!failed",
      name: "a,b",
    });
  });

  it("turns words such as status:failed into filters, and keeps the others as the search", () => {
    expect(readSearch("status:failed -model:titanic-rf fold 0193", {})).toEqual({
      status: "failed",
      name: "!titanic-rf",
      search: "fold 0193",
    });
    expect(readSearch("error:out_of_memory,timeout", { search: "x", status: "failed" })).toEqual({
      status: "failed",
      error_code: "out_of_memory,timeout",
    });
    expect(readSearch("kind:prediction sales", {})).toEqual({ kind: "prediction", search: "sales" });
    // Typed halfway, unknown, or not a value of the field.
    expect(readSearch("status: colour:red status:done", {})).toEqual({ search: "status: colour:red status:done" });
  });

  it("says when a search is too long for the server", () => {
    expect(refuseSearch("a b c d e")).toBeNull();
    expect(refuseSearch("a b c d e f")).toContain("5 words");
    expect(refuseSearch("x".repeat(101))).toContain("100 characters");
  });

  it("narrows a bulk action to the jobs that it can change", () => {
    expect(narrowed({ name: "x" }, "cancel")).toEqual({ name: "x", status: "queued,running" });
    expect(narrowed({ status: "!running" }, "cancel")).toEqual({ status: "queued" });
    expect(narrowed({ status: "failed,succeeded" }, "retry")).toEqual({ status: "failed" });
    expect(narrowed({ status: "succeeded" }, "retry")).toBeNull();
  });
});
