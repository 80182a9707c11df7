import { describe, expect, it } from "vitest";
import type { JobView } from "../api/queries";
import { predictionMetrics, predictionSpec, proposedName, trainingSpec } from "./job-kind";

const job = (kind: string, spec: object, metrics?: object) => ({ kind, spec, metrics }) as unknown as JobView;

describe("kinds of jobs", () => {
  it("distinguishes trainings and predictions", () => {
    const training = job("training", { name: "m", features: ["sex"] }, { rows: { train: 9, test: 1 } });
    const prediction = job("prediction", { model: "m", version: 2, columns: "all" }, { rows: 10 });
    expect([trainingSpec(training)?.name, predictionSpec(training)]).toEqual(["m", null]);
    expect([trainingSpec(prediction), predictionSpec(prediction)?.version]).toEqual([null, 2]);
    expect([predictionMetrics(training), predictionMetrics(prediction)?.rows]).toEqual([null, 10]);
    expect(predictionMetrics(job("prediction", { columns: "all" }))).toBeNull();
  });

  it("saves a result under the name that the server proposes", () => {
    expect(proposedName('attachment; filename="sales-v1-m-v2.csv"', "predictions.csv")).toBe("sales-v1-m-v2.csv");
    expect(proposedName(null, "predictions.csv")).toBe("predictions.csv");
  });
});
