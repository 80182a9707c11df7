/** A form for predictions, made from the signature of a version. */
import type { components } from "../api/schema";

export type Feature = components["schemas"]["FeatureView"];
export type FeatureValue = number | string | boolean | null;

/** The text of each input by feature. An empty text is a missing value. */
export type Draft = Record<string, string>;

/** How a feature is entered. */
export type Control =
  | { kind: "number"; min: number | null; max: number | null; step: number }
  | { kind: "choice"; values: string[] }
  | { kind: "text"; suggestions: string[] };

/** More choices than this are entered as text with suggestions. */
const MAX_CHOICES = 50;

export function controlOf(feature: Feature): Control {
  if (feature.dtype === "number") {
    return { kind: "number", min: feature.min ?? null, max: feature.max ?? null, step: stepOf(feature) };
  }
  if (feature.values_complete && feature.values.length <= MAX_CHOICES)
    return { kind: "choice", values: feature.values };
  return { kind: "text", suggestions: feature.values };
}

/** Whole numbers step by one; others by a hundredth of the range, rounded to a power of ten. */
function stepOf(feature: Feature): number {
  const { min, max } = feature;
  if (min == null || max == null || (Number.isInteger(min) && Number.isInteger(max))) return 1;
  const range = max - min;
  return range > 0 ? Math.min(1, 10 ** Math.floor(Math.log10(range / 20))) : 1;
}

/** Texts of a missing number, in lower case, as in uploads. */
const MISSING = new Set(["-", "--", ".", "?", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"]);

/** The value that the API expects, or what is wrong with the text. */
export function parseInput(feature: Feature, text: string): { value: FeatureValue } | { error: string } {
  const trimmed = text.trim();
  if (trimmed === "") return { value: null };
  if (feature.dtype === "number") {
    if (MISSING.has(trimmed.toLowerCase())) return { value: null };
    const value = Number(trimmed.replace(",", "."));
    return Number.isFinite(value) ? { value } : { error: `“${trimmed}” is not a number` };
  }
  return { value: trimmed };
}

/** A remark about a valid value that training never saw. */
export function remarkOn(feature: Feature, text: string): string | null {
  const parsed = parseInput(feature, text);
  if ("error" in parsed || parsed.value === null) return null;
  const { min, max } = feature;
  if (typeof parsed.value === "number" && min != null && max != null && (parsed.value < min || parsed.value > max)) {
    return `outside of the training range, ${min} to ${max}`;
  }
  return null;
}

/** All values of a draft, and the errors by feature. Missing values are left out. */
export function parseDraft(
  features: Feature[],
  draft: Draft,
): { values: Record<string, FeatureValue>; errors: Record<string, string> } {
  const values: Record<string, FeatureValue> = {};
  const errors: Record<string, string> = {};
  for (const feature of features) {
    const parsed = parseInput(feature, draft[feature.name] ?? "");
    if ("error" in parsed) errors[feature.name] = parsed.error;
    else if (parsed.value !== null) values[feature.name] = parsed.value;
  }
  return { values, errors };
}
