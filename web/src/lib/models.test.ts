import { describe, expect, it } from "vitest";
import {
  bestOf,
  crossValidated,
  headline,
  isRollback,
  type ModelView,
  metricNames,
  productionFirst,
  refuseAlias,
  tunedThreshold,
} from "./models";
import { readPrediction } from "./prediction";

const model = (name: string, aliases: Record<string, number> = {}): ModelView => ({
  name,
  aliases,
  created_at: "2026-03-01T12:00:00Z",
  latest: null,
});

describe("models", () => {
  it("are rolled back to an older version, and promoted to a newer one", () => {
    expect([isRollback(1, 2), isRollback(3, 2), isRollback(1, undefined)]).toEqual([true, false, false]);
  });

  it("take new names as aliases only", () => {
    expect(refuseAlias("candidate", ["canary"])).toBeNull();
    expect(refuseAlias("canary", ["canary"])).toContain("exists already");
    expect(refuseAlias("production", [])).toContain("promote");
    for (const name of ["", "A", "-x", "x y"]) expect(refuseAlias(name, [])).toContain("1 to 64 characters");
  });

  it("lists models in production first, otherwise in their order", () => {
    const models = [
      model("c"),
      model("b", { production: 1 }),
      model("a", { canary: 2 }),
      model("d", { production: 3 }),
    ];
    expect(productionFirst(models).map(({ name }) => name)).toEqual(["b", "d", "c", "a"]);
  });

  it("says how much a cross-validation varies, and what a threshold was tuned for", () => {
    const metrics = { accuracy: { mean: 0.8, std: 0.02 }, roc_auc: { mean: 0.8456, std: 0.021 } };
    expect(crossValidated({ cross_validation: { folds: 5, metrics } })).toBe("ROC AUC 0.846 ± 0.021 (5 folds)");
    const undefinedArea = { roc_auc: { mean: null, std: null }, accuracy: { mean: 0.8, std: null } };
    expect(crossValidated({ cross_validation: { folds: 2, metrics: undefinedArea } })).toBe("Accuracy 0.800 (2 folds)");
    expect(crossValidated({})).toBeNull();
    expect(tunedThreshold({ threshold: { value: 0.38291, tuned_for: "f1" } })).toBe("0.383, tuned for F1");
    expect(tunedThreshold({})).toBeNull();
  });

  it("compares metrics by their direction", () => {
    const versions = [
      { accuracy: 0.8, log_loss: 0.6, f1: 0.5 },
      { accuracy: 0.9, log_loss: 0.4, f1: 0.5 },
    ];
    expect(metricNames(versions)).toEqual(["accuracy", "f1", "log_loss"]);
    expect([bestOf("accuracy", versions), bestOf("log_loss", versions), bestOf("f1", versions)]).toEqual([1, 1, -1]);
    expect(headline({ rmse: 2, r2: 0.7 })).toEqual({ name: "r2", value: 0.7 });
    expect(headline({})).toBeNull();
  });
});

describe("readPrediction", () => {
  it("finds the prediction under the name of the target", () => {
    const answer = { prob: 0.954, survived: true, model: "titanic-rf", version: 1, warnings: ["'pclass' is missing"] };
    const read = readPrediction(answer, "survived");
    expect(read).toMatchObject({ label: "true", probability: 0.954, version: 1, isNumber: false });
    expect(read.warnings).toEqual(["'pclass' is missing"]);
  });

  it("reads numbers, and classes with the most probable one first", () => {
    expect(readPrediction({ price: 12.5, model: "m", version: 2 }, "price")).toMatchObject({
      label: "12.5",
      isNumber: true,
    });
    const classes = readPrediction(
      { kind: 3, probabilities: { "1": 0.2, "3": 0.7, "2": 0.1 }, model: "m", version: 1 },
      "kind",
    );
    expect(classes.isNumber).toBe(false);
    expect(classes.probabilities.map(({ label }) => label)).toEqual(["3", "1", "2"]);
  });
});
