import { describe, expect, it } from "vitest";
import { controlOf, type Feature, parseDraft, parseInput, remarkOn } from "./signature";

const age: Feature = { name: "age", dtype: "number", min: 0.17, max: 80, values: [], values_complete: false };
const pclass: Feature = { name: "pclass", dtype: "number", min: 1, max: 3, values: [], values_complete: false };
const sex: Feature = { name: "sex", dtype: "category", values: ["male", "female"], values_complete: true };
const town: Feature = { name: "town", dtype: "category", values: ["Ulm"], values_complete: false };

describe("the prediction form", () => {
  it("chooses the control by type and values", () => {
    expect(controlOf(sex)).toEqual({ kind: "choice", values: ["male", "female"] });
    expect(controlOf(town)).toEqual({ kind: "text", suggestions: ["Ulm"] });
    expect(controlOf(pclass)).toEqual({ kind: "number", min: 1, max: 3, step: 1 });
    expect(controlOf(age)).toMatchObject({ kind: "number", step: 1 });
    expect(controlOf({ ...age, min: 0, max: 0.5 })).toMatchObject({ step: 0.01 });
  });

  it("offers texts instead of choices when there are too many", () => {
    const values = Array.from({ length: 51 }, (_, at) => `v${at}`);
    expect(controlOf({ ...sex, values }).kind).toBe("text");
  });

  it("reads numbers also with a decimal comma, and refuses words", () => {
    expect(parseInput(age, " 29,5 ")).toEqual({ value: 29.5 });
    expect(parseInput(age, "old")).toEqual({ error: "“old” is not a number" });
    expect(parseInput(age, "Infinity")).toHaveProperty("error");
    expect(["NA", "n/a", "?", "NaN", "-"].map((text) => parseInput(age, text))).toEqual(Array(5).fill({ value: null }));
    // A category may have this name.
    expect(parseInput(sex, "NA")).toEqual({ value: "NA" });
  });

  it("leaves out missing values and collects the errors of all fields", () => {
    const { values, errors } = parseDraft([age, pclass, sex], { age: "x", pclass: "", sex: "female" });
    expect(values).toEqual({ sex: "female" });
    expect(Object.keys(errors)).toEqual(["age"]);
  });

  it("remarks on values outside of the training range only", () => {
    expect(remarkOn(age, "99")).toBe("outside of the training range, 0.17 to 80");
    for (const text of ["80", "", "x"]) expect(remarkOn(age, text)).toBeNull();
  });
});
