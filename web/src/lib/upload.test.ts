import { describe, expect, it } from "vitest";
import { nameOfFile, pathOfUpload, refuseFile } from "./upload";

describe("upload", () => {
  it("makes a valid dataset name of a file name", () => {
    const cases: [string, string][] = [
      ["Sales 2024 (Q1).csv", "sales-2024-q1"],
      ["__träume.csv.gz", "tr-ume"],
      ["data.v2.csv", "data.v2"],
      ["x".repeat(90), "x".repeat(64)],
      ["???.csv", ""],
    ];
    for (const [file, name] of cases) expect(nameOfFile(file)).toBe(name);
  });

  it("refuses files that can't be a table before they are sent", async () => {
    expect(await refuseFile(new Blob([]))).toBe("The file is empty.");
    expect(await refuseFile(new Blob([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13)]))).toContain(
      "not a text file",
    );
    expect(await refuseFile(new Blob(["a,b\n1,2\n"]))).toBeNull();
    expect(await refuseFile(new Blob([Uint8Array.of(0xff, 0xfe, 0x61, 0)]))).toBeNull();
    expect(await refuseFile(new Blob([Uint8Array.of(0x1f, 0x8b, 8, 0)]))).toBeNull();
    expect(await refuseFile(new Blob(["a\n".repeat(2_000_000)]), 1_000_000)).toContain(
      "The file has 4.0 MB, and at most 1.0 MB are possible.",
    );
  });

  it("sends the decisions of a person", () => {
    expect(pathOfUpload("x", { types: {} }, false)).toBe("/datasets?name=x");
    expect(pathOfUpload("x", { missing: "unknown,-9", types: {} }, false)).toBe(
      "/datasets?name=x&missing=unknown%2C-9",
    );
    const reading = { delimiter: ";", types: { "zip code": "category", when: "datetime" } } as const;
    expect(pathOfUpload("x", reading, true)).toBe(
      "/datasets?name=x&delimiter=%3B&types=zip+code%3Acategory%2Cwhen%3Adatetime&dry_run=true",
    );
  });
});
