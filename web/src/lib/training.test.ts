import { describe, expect, it } from "vitest";
import type { ColumnView, JobView } from "../api/queries";
import { chosenFeatures, draftOfJob, EMPTY_DRAFT, fieldOf, parseTraining, proposedTarget, unusable } from "./training";

const column = (name: string, dtype: ColumnView["dtype"], distinct = 10): ColumnView => ({
  name,
  dtype,
  distinct,
  missing: 0,
  warnings: [],
});
const COLUMNS = [
  column("pclass", "number"),
  column("name", "text", 1307),
  column("sex", "category", 2),
  column("ship", "category", 1),
  column("survived", "boolean", 2),
];
const draft = { ...EMPTY_DRAFT, name: "titanic-rf", target: "survived" };

describe("training", () => {
  it("says why a column can't be a feature", () => {
    expect(COLUMNS.map(unusable)).toEqual([null, "too many different texts", null, "only one value", null]);
  });

  it("proposes a target that can be predicted", () => {
    expect(proposedTarget(COLUMNS)).toBe("survived");
    expect(proposedTarget([column("a", "number"), column("label", "category"), column("b", "number")])).toBe("label");
    expect(proposedTarget([column("a", "text")])).toBe("");
  });

  it("takes every usable column but the target until a person chooses", () => {
    expect(chosenFeatures(draft, COLUMNS)).toEqual(["pclass", "sex"]);
    expect(chosenFeatures({ ...draft, features: ["sex", "gone", "survived"] }, COLUMNS)).toEqual(["sex"]);
  });

  it("makes the request", () => {
    const parsed = parseTraining({ ...draft, seed: "9007199254740991" }, COLUMNS, []);
    expect(parsed).toEqual({
      request: {
        name: "titanic-rf",
        algorithm: "random_forest",
        features: ["*"],
        dataset: "titanic",
        target: "survived",
        params: {},
        priority: 0,
        seed: Number.MAX_SAFE_INTEGER,
        timeout_s: 3600,
      },
    });
  });

  it("names every field that needs a change", () => {
    const parsed = parseTraining(
      { ...draft, name: "No", features: [], seed: "9007199254740993", priority: "11" },
      COLUMNS,
      [],
    );
    expect("errors" in parsed && Object.keys(parsed.errors).sort()).toEqual(["features", "name", "priority", "seed"]);
  });

  it("keeps the options of a cloned job that differ from the defaults", () => {
    const spec = { name: "m", features: ["sex"], params: {}, task: "regression", on_leak: "warn", column_types: {} };
    const cloned = draftOfJob({ spec } as unknown as JobView, []);
    expect(cloned.learning).toEqual({ task: "regression" });
    const parsed = parseTraining({ ...draft, learning: cloned.learning }, COLUMNS, []);
    expect(parsed).toHaveProperty("request.task", "regression");
    expect(parsed).not.toHaveProperty("request.on_leak");
  });

  it("finds the field of an error of the server", () => {
    expect(["features[2]", "params.n_trees", "name"].map(fieldOf)).toEqual(["features", "params.n_trees", "name"]);
  });
});
