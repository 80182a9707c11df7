import { describe, expect, it } from "vitest";
import { plotsOf, ticksOf } from "./curves";

const CURVES = {
  roc_auc: 0.875,
  positive_class: true,
  confusion_matrix: {
    labels: [false, true],
    counts: [
      [50, 10],
      [5, 35],
    ],
  },
  roc_curve: { fpr: [0, 0.2, 1], tpr: [0, 0.8, 1], threshold: [1, 0.5, 0] },
  precision_recall_curve: { recall: [1, 0.5, 0], precision: [0.4, 0.8, 1], threshold: [0.1, 0.6] },
  calibration: [
    { mean_probability: 0.1, positive_share: 0.2, count: 90 },
    { mean_probability: 0.9, positive_share: 0.8, count: 10 },
  ],
};

describe("curves", () => {
  it("draws what two classes have, with a table of the same values", () => {
    const plots = plotsOf(CURVES);
    expect(plots.map(({ title }) => title)).toEqual(["ROC curve", "Precision and recall", "Calibration"]);
    const [roc, recall, calibration] = plots;
    expect(roc?.lines[0]?.points[1]).toEqual([0.2, 0.8]);
    expect(roc?.about).toContain("0.875");
    expect(roc?.rows[1]).toEqual(["0.500", "0.200", "0.800"]);
    // 40 of 100 rows are positive; the last point has no threshold.
    expect(recall?.reference?.points[0]).toEqual([0, 0.4]);
    expect(recall?.rows[2]).toEqual(["–", "0.000", "1.000"]);
    expect(calibration?.dots.map(({ radius }) => radius > 4)).toEqual([true, false]);
  });

  it("draws one curve per class", () => {
    const [plot] = plotsOf({ roc_curves: [{ class: 3, roc_auc: 0.9, fpr: [0, 1], tpr: [0, 1] }] });
    expect(plot?.lines[0]?.name).toBe("3 (0.900)");
  });

  it("uses one scale for predicted and actual values", () => {
    const [plot] = plotsOf({ predictions: { actual: [10, 30], predicted: [5, 20] } });
    expect([plot?.from, plot?.to]).toEqual([5, 30]);
    expect(plot?.rows[0]).toEqual(["10", "5"]);
    const [flat] = plotsOf({ predictions: { actual: [3], predicted: [3] } });
    expect(flat?.to).toBe(4);
  });

  it("draws the calibration before and after", () => {
    const before = [{ mean_probability: 0.2, positive_share: 0.5, count: 100 }];
    const reliability = {
      method: "isotonic",
      before: { brier_score: 0.2, expected_calibration_error: 0.3, points: before },
      after: { brier_score: 0.1, expected_calibration_error: 0.02, points: CURVES.calibration },
    };
    const plot = plotsOf({ ...CURVES, reliability }).find(({ id }) => id === "calibration");
    expect(plot?.lines.map(({ name, points }) => [name, points.length])).toEqual([
      ["calibrated", 2],
      ["before", 1],
    ]);
    expect(plot?.about).toContain(
      "Calibration error: 0.300 before, 0.020 calibrated. Brier score: 0.200 before, 0.100 calibrated.",
    );
    expect(plot?.rows.map(([model]) => model)).toEqual(["calibrated", "calibrated", "before"]);
    // Several classes have no curve of a positive one.
    const [several] = plotsOf({ reliability });
    expect([several?.id, several?.y]).toEqual(["calibration", "Share of right predictions"]);
  });

  it("draws the loss by the number of rows, without missing points", () => {
    const curve = { metric: "log_loss", rows: [10, 50, 100], training: [0.1, 0.2, 0.3], held_out: [null, 0.6, 0.5] };
    const [plot] = plotsOf({ learning_curve: curve });
    expect(plot?.lines.map(({ points }) => points)).toEqual([
      [
        [50, 0.6],
        [100, 0.5],
      ],
      [
        [10, 0.1],
        [50, 0.2],
        [100, 0.3],
      ],
    ]);
    expect([plot?.from, plot?.to, plot?.vertical]).toEqual([0, 100, { from: 0.1, to: 0.6 }]);
    expect(plot?.rows[0]).toEqual(["10", "–", "0.100"]);
    expect(plotsOf({ learning_curve: { metric: "rmse", rows: [9], training: [1], held_out: [1] } })).toEqual([]);
  });

  it("leaves out what the metrics do not have", () => {
    expect(plotsOf({ accuracy: 1 })).toEqual([]);
  });

  it("has round ticks", () => {
    expect(ticksOf(0, 1)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(ticksOf(5, 30)).toEqual([10, 20, 30]);
    expect(ticksOf(-1, 1)).toEqual([-1, -0.5, 0, 0.5, 1]);
  });
});
