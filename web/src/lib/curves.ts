/** The curves of a model's metrics, ready to draw. All are about the held-out part. */
import { formatMetric, formatMetricName, formatNumber } from "./format";
import type { CalibrationBin, Metrics } from "./models";

export type Point = readonly [x: number, y: number];

export interface Plot {
  id: string;
  title: string;
  /** What the axes mean and what a good model looks like. */
  about: string;
  x: string;
  y: string;
  /** The range of both axes, or of the horizontal one. */
  from: number;
  to: number;
  /** The range of the vertical axis, if it is another one. */
  vertical?: { from: number; to: number };
  lines: { name: string; points: Point[] }[];
  /** Points with a radius in pixels. */
  dots: { point: Point; radius: number }[];
  /** A random or a perfect model: the diagonal, or a constant. */
  reference: { name: string; points: [Point, Point] } | null;
  /** The same values as a table. */
  columns: string[];
  rows: string[][];
}

const UNIT = { from: 0, to: 1, dots: [] as Plot["dots"] };
const DIAGONAL: [Point, Point] = [
  [0, 0],
  [1, 1],
];
const SMALL = 2.5;
const LARGE = 7;

/** All curves that the metrics have, in the order in which they are read. */
export function plotsOf(metrics: Metrics): Plot[] {
  return [
    roc(metrics),
    rocOfClasses(metrics),
    precisionRecall(metrics),
    calibration(metrics),
    learningCurve(metrics),
    predictions(metrics),
  ].filter((plot) => plot !== null);
}

function roc({ roc_curve: curve, roc_auc }: Metrics): Plot | null {
  if (!curve) return null;
  return {
    ...UNIT,
    id: "roc",
    title: "ROC curve",
    about: `How many positives are found for how many false alarms, at every threshold. The area is ${formatMetric(roc_auc)}; guessing has 0.5, a perfect model 1.`,
    x: "False positive rate",
    y: "True positive rate",
    lines: [{ name: "model", points: pairs(curve.fpr, curve.tpr) }],
    reference: { name: "guessing", points: DIAGONAL },
    columns: ["Threshold", "False positive rate", "True positive rate"],
    rows: curve.threshold.map((threshold, at) => [threshold, curve.fpr[at], curve.tpr[at]].map(formatMetric)),
  };
}

function rocOfClasses({ roc_curves: curves }: Metrics): Plot | null {
  if (!curves || curves.length === 0) return null;
  return {
    ...UNIT,
    id: "roc",
    title: "ROC curve per class",
    about:
      "Each class against all others, for the ten most frequent classes. Guessing has an area of 0.5, a perfect model 1.",
    x: "False positive rate",
    y: "True positive rate",
    lines: curves.map(({ class: label, roc_auc, fpr, tpr }) => ({
      name: `${String(label)} (${formatMetric(roc_auc)})`,
      points: pairs(fpr, tpr),
    })),
    reference: { name: "guessing", points: DIAGONAL },
    columns: ["Class", "False positive rate", "True positive rate"],
    rows: curves.flatMap(({ class: label, fpr, tpr }) =>
      fpr.map((rate, at) => [String(label), formatMetric(rate), formatMetric(tpr[at])]),
    ),
  };
}

function precisionRecall(metrics: Metrics): Plot | null {
  const curve = metrics.precision_recall_curve;
  if (!curve) return null;
  const share = positiveShare(metrics);
  return {
    ...UNIT,
    id: "precision-recall",
    title: "Precision and recall",
    about: `How many of the found are right, for how many of the positives are found. ${share === null ? "Higher is better." : `Guessing is right in ${formatMetric(share)}.`}`,
    x: "Recall",
    y: "Precision",
    lines: [{ name: "model", points: pairs(curve.recall, curve.precision) }],
    reference:
      share === null
        ? null
        : {
            name: "guessing",
            points: [
              [0, share],
              [1, share],
            ],
          },
    columns: ["Threshold", "Recall", "Precision"],
    // The last point has no threshold: nothing is found.
    rows: curve.recall.map((recall, at) => [curve.threshold[at], recall, curve.precision[at]].map(formatMetric)),
  };
}

function calibration({ calibration: own, reliability }: Metrics): Plot | null {
  const bins = own ?? reliability?.after.points;
  if (!bins || bins.length === 0) return null;
  const most = Math.max(...bins.map(({ count }) => count));
  const points = pointsOfBins(bins);
  const before = reliability?.before;
  const errors = reliability
    ? ` Calibration error: ${formatMetric(reliability.before.expected_calibration_error)} before, ${formatMetric(reliability.after.expected_calibration_error)} calibrated. Brier score: ${formatMetric(reliability.before.brier_score)} before, ${formatMetric(reliability.after.brier_score)} calibrated.`
    : "";
  // Only two classes have a positive one.
  const positives = own ? "Share of positives" : "Share of right predictions";
  const row = ({ mean_probability, positive_share, count }: CalibrationBin) => [
    formatMetric(mean_probability),
    formatMetric(positive_share),
    formatNumber(count),
  ];
  const rowsOf = (name: string, some: CalibrationBin[]) => some.map((bin) => (before ? [name, ...row(bin)] : row(bin)));
  return {
    ...UNIT,
    id: "calibration",
    title: "Calibration",
    about: `Whether a probability of 70 % comes true in 70 % of the rows. A larger dot stands for more rows.${errors}`,
    x: "Predicted probability",
    y: positives,
    lines: before
      ? [
          { name: "calibrated", points },
          { name: "before", points: pointsOfBins(before.points) },
        ]
      : [{ name: "model", points }],
    dots: points.map((point, at) => ({
      point,
      radius: SMALL + (LARGE - SMALL) * Math.sqrt((bins[at]?.count ?? 0) / most),
    })),
    reference: { name: "perfect", points: DIAGONAL },
    columns: [...(before ? ["Model"] : []), "Predicted probability", positives, "Rows"],
    rows: [...rowsOf("calibrated", bins), ...rowsOf("before", before?.points ?? [])],
  };
}

function pointsOfBins(bins: CalibrationBin[]): Point[] {
  return bins.map(({ mean_probability, positive_share }): Point => [mean_probability, positive_share]);
}

function learningCurve({ learning_curve: curve }: Metrics): Plot | null {
  if (!curve || curve.rows.length < 2) return null;
  const { rows, training, held_out } = curve;
  const known = [...training, ...held_out].filter((loss) => loss !== null);
  if (known.length === 0) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const name = formatMetricName(curve.metric);
  const line = (losses: (number | null)[]) =>
    rows.flatMap((count, at): Point[] => {
      const loss = losses[at] ?? null;
      return loss === null ? [] : [[count, loss]];
    });
  return {
    id: "learning-curve",
    title: "Learning curve",
    about: `${name} by the number of training rows; smaller is better. If the held-out part still gets better at the end, more rows would help.`,
    x: "Training rows",
    y: name,
    from: 0,
    to: Math.max(...rows),
    // Losses that are all equal still need a scale.
    vertical: { from: low, to: high > low ? high : low + 1 },
    lines: [
      { name: "held-out part", points: line(held_out) },
      { name: "training rows", points: line(training) },
    ],
    dots: line(held_out).map((point) => ({ point, radius: SMALL })),
    reference: null,
    columns: ["Training rows", "Loss on the held-out part", "Loss on the training rows"],
    rows: rows.map((count, at) => [formatNumber(count), formatMetric(held_out[at]), formatMetric(training[at])]),
  };
}

function predictions({ predictions: drawn }: Metrics): Plot | null {
  if (!drawn || drawn.actual.length === 0) return null;
  const all = [...drawn.actual, ...drawn.predicted];
  const [from, to] = [Math.min(...all), Math.max(...all)];
  return {
    id: "predictions",
    title: "Predicted and actual",
    about: `${drawn.actual.length} rows of the held-out part. The closer to the line, the better.`,
    x: "Actual",
    y: "Predicted",
    from,
    // A constant target still needs a scale.
    to: to > from ? to : from + 1,
    lines: [],
    dots: pairs(drawn.actual, drawn.predicted).map((point) => ({ point, radius: SMALL })),
    reference: {
      name: "perfect",
      points: [
        [from, from],
        [to, to],
      ],
    },
    columns: ["Actual", "Predicted"],
    rows: drawn.actual.map((actual, at) => [actual, drawn.predicted[at] ?? Number.NaN].map(formatNumber)),
  };
}

function pairs(xs: readonly number[], ys: readonly number[]): Point[] {
  return xs.slice(0, ys.length).map((x, at): Point => [x, ys[at] ?? 0]);
}

/** The share of the positive class in the held-out part, from the confusion matrix. */
function positiveShare({ confusion_matrix: confusion, positive_class }: Metrics): number | null {
  if (!confusion || positive_class === undefined) return null;
  const row = confusion.labels.findIndex((label) => String(label) === String(positive_class));
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const all = sum(confusion.counts.flat());
  return row < 0 || all === 0 ? null : sum(confusion.counts[row] ?? []) / all;
}

const STEPS = [1, 2, 2.5, 5, 10];

/** About four round numbers between two values. */
export function ticksOf(from: number, to: number): number[] {
  const raw = (to - from) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * (STEPS.find((one) => one * power >= raw * 0.99) ?? 10);
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step); at * step <= to + step * 1e-6; at++)
    ticks.push(Number((at * step).toPrecision(12)));
  return ticks;
}
