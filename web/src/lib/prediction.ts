/** The answer of `POST /inference` for one row. */

const KNOWN = ["prob", "probabilities", "model", "version", "explanation", "warnings", "threshold"];

export interface Explanation {
  scale: string;
  baseline: number;
  /** The largest contribution first. */
  contributions: { name: string; value: number }[];
}

export interface Prediction {
  label: string;
  isNumber: boolean;
  probability: number | null;
  /** The probability from which the positive class is predicted. */
  threshold: number;
  probabilities: { label: string; value: number }[];
  model: string;
  version: number;
  warnings: string[];
  explanation: Explanation | null;
}

/** Reads an answer. The prediction is in the field with the name of the target. */
export function readPrediction(answer: Record<string, unknown>, target: string): Prediction {
  const name = target in answer ? target : Object.keys(answer).find((key) => !KNOWN.includes(key));
  const value = name === undefined ? undefined : answer[name];
  const probabilities = Object.entries((answer.probabilities ?? {}) as Record<string, number>);
  return {
    label: value === undefined || value === null ? "–" : String(value),
    isNumber: typeof value === "number" && answer.prob === undefined && probabilities.length === 0,
    probability: typeof answer.prob === "number" ? answer.prob : null,
    // An answer without a threshold has the default one.
    threshold: typeof answer.threshold === "number" ? answer.threshold : 0.5,
    probabilities: probabilities
      .map(([label, value]) => ({ label, value }))
      .sort((one, other) => other.value - one.value),
    model: String(answer.model ?? ""),
    version: Number(answer.version ?? 0),
    warnings: Array.isArray(answer.warnings) ? answer.warnings.map(String) : [],
    explanation: readExplanation(answer.explanation),
  };
}

function readExplanation(answer: unknown): Explanation | null {
  if (typeof answer !== "object" || answer === null) return null;
  const { scale, baseline, contributions } = answer as {
    scale: string;
    baseline: number;
    contributions: Record<string, number>;
  };
  return {
    scale,
    baseline,
    contributions: Object.entries(contributions)
      .map(([name, value]) => ({ name, value }))
      .sort((one, other) => Math.abs(other.value) - Math.abs(one.value)),
  };
}
