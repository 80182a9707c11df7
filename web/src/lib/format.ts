const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 4 });
const INTEGER = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** 1234.5678 as `1,234.5678`. */
export function formatNumber(value: number): string {
  return NUMBER.format(value);
}

/** 12345 as `12,345`. */
export function formatCount(value: number): string {
  return INTEGER.format(value);
}

/** `1 row`, `2 rows`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A score between 0 and 1 with three decimals; other numbers shortened. */
export function formatMetric(value: unknown): string {
  if (typeof value !== "number") return "–";
  return Math.abs(value) < 1000 ? value.toFixed(3) : formatCount(value);
}

/** The score of a search with four decimals, because similar models differ little. */
export function formatScore(value: number | null | undefined): string {
  if (value == null) return "–";
  return Math.abs(value) < 1000 ? value.toFixed(4) : formatCount(value);
}

/** 0.8371 as `83.7 %`. */
export function formatPercent(value: number, digits = 1): string {
  return `${(value * 100).toFixed(digits)} %`;
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** 75.2 as `1 min 15 s`, 600 as `10 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return twoUnits(whole, 60, "min", 1, "s");
  return twoUnits(whole, 3600, "h", 60, "min");
}

function twoUnits(seconds: number, large: number, name: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${name}${rest > 0 ? ` ${rest} ${smallName}` : ""}`;
}

/** The first part of a UUIDv7 that differs between jobs of the same second. */
export function shortId(id: string): string {
  return id.slice(-8);
}

const ALGORITHMS: Record<string, string> = { svm: "SVM" };

/** `random_forest` as `Random forest`. */
export function formatAlgorithm(name: string): string {
  return ALGORITHMS[name] ?? title(name);
}

/** `n_trees` as `N trees`; known abbreviations are written out. */
export function title(name: string): string {
  const words = name.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const METRICS: Record<string, string> = {
  accuracy: "Accuracy",
  roc_auc: "ROC AUC",
  log_loss: "Log loss",
  f1: "F1",
  precision: "Precision",
  recall: "Recall",
  oob_accuracy: "Out-of-bag accuracy",
  r2: "R²",
  rmse: "RMSE",
  mae: "MAE",
  cv_log_loss: "Log loss of the folds",
  cv_rmse: "RMSE of the folds",
  trial_log_loss: "Log loss of the trials",
  trial_rmse: "RMSE of the trials",
};

export function formatMetricName(name: string): string {
  return METRICS[name] ?? title(name);
}

/** The name of a metric within a sentence: `log loss`; abbreviations keep their letters. */
export function metricInSentence(name: string): string {
  const shown = formatMetricName(name);
  return /^[A-Z][a-z]/.test(shown) ? shown.charAt(0).toLowerCase() + shown.slice(1) : shown;
}
