import { describe, expect, it } from "vitest";
import type { ColumnView, JobView } from "../api/queries";
import {
  chosenFeatures,
  draftOfJob,
  EMPTY_DRAFT,
  fieldOf,
  labelsOf,
  lostFeatures,
  parseTraining,
  proposedTarget,
  taskOf,
  typedColumns,
  unusable,
} from "./training";

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
    // The server has read all values, so its suggestion comes first.
    expect(proposedTarget(COLUMNS, "sex")).toBe("sex");
    expect(proposedTarget(COLUMNS, "name")).toBe("survived");
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
        max_attempts: 3,
      },
    });
  });

  it("sends the options that are set", () => {
    const changes = {
      runAt: "2030-01-02T03:04",
      promoteBy: "log_loss",
      improvement: "0,01",
      webhook: " https://x.example/ ",
    };
    const parsed = parseTraining({ ...draft, ...changes, attempts: "1" } as typeof draft, COLUMNS, []);
    expect(parsed).toMatchObject({
      request: {
        max_attempts: 1,
        run_at: new Date(2030, 0, 2, 3, 4).toISOString(),
        auto_promote: { metric: "log_loss", min_improvement: 0.01 },
        webhook_url: "https://x.example/",
      },
    });
    const wrong = { attempts: "0", improvement: "-1", promoteBy: "f1", runAt: "soon" } as const;
    const refused = parseTraining({ ...draft, ...wrong }, COLUMNS, []);
    expect("errors" in refused && Object.keys(refused.errors).sort()).toEqual([
      "auto_promote.min_improvement",
      "max_attempts",
      "run_at",
    ]);
  });

  it("finds the task and the classes of the target", () => {
    const columns = [...COLUMNS, column("fare", "number", 281), { ...column("alive", "number", 2), min: 0, max: 1 }];
    expect(taskOf({ ...draft, target: "fare" }, columns)).toBe("regression");
    expect(taskOf({ ...draft, target: "fare", learning: { task: "classification" } }, columns)).toBe("classification");
    expect(taskOf({ ...draft, target: "alive" }, columns)).toBe("classification");
    expect(taskOf({ ...draft, target: "" }, columns)).toBeNull();
    expect(labelsOf(columns.at(-1))).toEqual(["0", "1"]);
    const top = ["no", "yes"].map((value) => ({ value, count: 1 }));
    expect(labelsOf({ ...column("ill", "category", 2), top })).toEqual(["no", "yes"]);
    expect(labelsOf(column("pclass", "number", 3))).toEqual([]);
  });

  it("keeps features that the job reads as another type, and names those that are gone", () => {
    const typed = typedColumns(COLUMNS, { column_types: { name: "category" } });
    const cloned = { ...draft, features: ["name", "cabin"] };
    expect(chosenFeatures(cloned, COLUMNS)).toEqual([]);
    expect(chosenFeatures(cloned, typed)).toEqual(["name"]);
    expect(lostFeatures(cloned, COLUMNS)).toEqual(["cabin"]);
    expect(lostFeatures(draft, COLUMNS)).toEqual([]);
  });

  it("clones what happens after a job, but no secret", () => {
    const spec = {
      ...{ name: "m", features: ["sex"], params: {}, max_attempts: 5 },
      auto_promote: { metric: "rmse", min_improvement: 0.5 },
    };
    const cloned = (webhook_url: string) => draftOfJob({ spec: { ...spec, webhook_url } } as unknown as JobView, []);
    expect(cloned("https://x.example/a")).toMatchObject({
      ...{ attempts: "5", promoteBy: "rmse", improvement: "0.5", webhook: "https://x.example/a", runAt: "" },
    });
    expect(cloned("https://x.example/***").webhook).toBe("");
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
