import { describe, expect, it } from "vitest";
import { instancesOf, refusedRow, withPredictions } from "./batch";
import { parseCsv, writeCsv } from "./csv";
import type { Feature } from "./signature";

const FEATURES: Feature[] = [
  { name: "age", dtype: "number", min: 0, max: 80, values: [], values_complete: false },
  { name: "sex", dtype: "category", values: ["male", "female"], values_complete: true },
];

describe("CSV", () => {
  it("reads quotes, delimiters, line ends and a byte order mark", () => {
    expect(parseCsv('\uFEFFa,"b ""c"""\r\n"1,5","x\ny"\r\n\r\n')).toEqual({
      header: ["a", 'b "c"'],
      rows: [["1,5", "x\ny"]],
    });
    expect(parseCsv("a;b\n1,5;2").rows).toEqual([["1,5", "2"]]);
    expect(parseCsv("a\tb\n1\t").rows).toEqual([["1", ""]]);
  });

  it("names a row with another number of fields", () => {
    expect(() => parseCsv("a,b\n1,2\n3\n")).toThrow("Row 2 has 1 fields, and the header has 2.");
    expect(() => parseCsv("")).toThrow("The file is empty.");
  });

  it("writes what it reads", () => {
    const table = { header: ["a", 'b "c"'], rows: [["1,5", "x\ny"]] };
    expect(parseCsv(writeCsv(table))).toEqual(table);
  });
});

describe("many rows", () => {
  it("takes the columns of the model, and leaves out missing values", () => {
    const table = parseCsv("name,sex,age\nAda,female,\nBob,,40\n");
    expect(instancesOf(table, FEATURES)).toEqual([{ sex: "female" }, { age: 40 }]);
  });

  it("says which row and column is wrong", () => {
    expect(() => instancesOf(parseCsv("age\n1\nold\n"), FEATURES)).toThrow("Row 2, column age: “old” is not a number.");
    expect(() => instancesOf(parseCsv("x\n1\n"), FEATURES)).toThrow("its features are age, sex");
    expect(() => instancesOf(parseCsv("age\n"), FEATURES)).toThrow("no rows");
  });

  it("says in rows of the file what the server refused", () => {
    const fields = { model: "is busy", "instances[3].age": "must be a number" };
    expect(refusedRow(fields, 2_000)).toBe("Row 2004, column age: must be a number.");
    expect(refusedRow({ "instances[0]": "must be an object" }, 0)).toBe("Row 1: must be an object.");
    expect(refusedRow({ model: "is busy" }, 0)).toBeNull();
  });

  it("adds predictions and probabilities as columns", () => {
    const table = parseCsv("age\n1\n2\n");
    const binary = withPredictions(
      table,
      [
        { prob: 0.9, survived: true },
        { prob: 0.2, survived: false },
      ],
      "survived",
    );
    expect(binary).toEqual({
      header: ["age", "predicted_survived", "probability"],
      rows: [
        ["1", "true", "0.9"],
        ["2", "false", "0.2"],
      ],
    });
    const classes = withPredictions(table, [{ kind: "b", probabilities: { a: 0.3, b: 0.7 } }, { kind: "a" }], "kind");
    expect(classes.header).toEqual(["age", "predicted_kind", "probability_a", "probability_b"]);
    expect(classes.rows[0]).toEqual(["1", "b", "0.3", "0.7"]);
  });
});
