/** The training form: its draft, its request, and where the server's errors belong. */
import type { ColumnView, JobView } from "../api/queries";
import type { components } from "../api/schema";
import { type TrainingSpec, trainingSpec } from "./job-kind";
import { draftOf, type Parameter, parseParameters } from "./parameters";

export type TrainingRequest = components["schemas"]["TrainingRequest"];

/** Options of the learning task. Options that are left out follow from the data. */
export interface LearningOptions {
  task?: "classification" | "regression";
  on_leak?: "warn" | "drop" | "refuse";
  positive_class?: unknown;
  column_types?: Record<string, string>;
}

export interface TrainingDraft {
  name: string;
  dataset: string;
  target: string;
  /** The chosen features; null means every usable column. */
  features: string[] | null;
  algorithm: TrainingRequest["algorithm"];
  params: Record<string, string>;
  learning: LearningOptions;
  priority: string;
  seed: string;
  timeout: string;
}

export const EMPTY_DRAFT: TrainingDraft = {
  name: "",
  dataset: "titanic",
  target: "",
  features: null,
  algorithm: "random_forest",
  params: {},
  learning: {},
  priority: "0",
  seed: "42",
  timeout: "3600",
};

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const WHOLE: Record<"priority" | "seed" | "timeout", [number, number]> = {
  priority: [-10, 10],
  seed: [0, Number.MAX_SAFE_INTEGER],
  timeout: [1, 86_400],
};

/** Why a column can't be a feature, or null. */
export function unusable(column: ColumnView): string | null {
  if (column.distinct === 0) return "no values";
  if (column.dtype === "text") return "too many different texts";
  if (column.distinct === 1) return "only one value";
  return null;
}

/** A target that a model can predict: a few classes, or numbers. */
export function canBeTarget(column: ColumnView): boolean {
  return column.dtype !== "text" && column.dtype !== "datetime" && column.distinct >= 2;
}

/** The target that a new form proposes: the last column that looks like one. */
export function proposedTarget(columns: ColumnView[]): string {
  const usual = columns.find(({ name }) => ["target", "label", "survived", "class", "y"].includes(name.toLowerCase()));
  const last = columns.findLast((column) => column.dtype === "boolean") ?? columns.findLast(canBeTarget);
  return (usual ?? last)?.name ?? "";
}

/** The features of a draft without the target and without columns that another version of the dataset has not. */
export function chosenFeatures(draft: TrainingDraft, columns: ColumnView[]): string[] {
  const possible = columns.filter((column) => column.name !== draft.target && unusable(column) === null);
  const names = possible.map(({ name }) => name);
  return draft.features === null ? names : names.filter((name) => draft.features?.includes(name));
}

/** The request, or what is wrong by field. */
export function parseTraining(
  draft: TrainingDraft,
  columns: ColumnView[],
  parameters: Parameter[],
): { request: TrainingRequest } | { errors: Record<string, string> } {
  const { params, errors: wrong } = parseParameters(parameters, draft.params);
  const errors = Object.fromEntries(Object.entries(wrong).map(([name, message]) => [`params.${name}`, message]));
  const features = chosenFeatures(draft, columns);
  if (!NAME.test(draft.name)) {
    errors.name = "1 to 64 characters: a-z, 0-9, dots, dashes and underscores; a letter or digit first";
  }
  if (!draft.target) errors.target = "choose the column to predict";
  if (features.length === 0) errors.features = "choose at least one feature";
  for (const [field, [least, most]] of Object.entries(WHOLE)) {
    const value = Number(draft[field as keyof typeof WHOLE].trim() || Number.NaN);
    if (!Number.isInteger(value) || value < least || value > most) {
      errors[field === "timeout" ? "timeout_s" : field] = `must be a whole number from ${least} to ${most}`;
    }
  }
  if (Object.keys(errors).length > 0) return { errors };
  return {
    request: {
      name: draft.name,
      algorithm: draft.algorithm,
      // The server knows best which columns are usable.
      features: draft.features === null ? ["*"] : features,
      dataset: draft.dataset,
      target: draft.target,
      params,
      ...(draft.learning as Partial<TrainingRequest>),
      priority: Number(draft.priority),
      seed: Number(draft.seed),
      timeout_s: Number(draft.timeout),
    },
  };
}

/** `features[2]` belongs to the field `features`. */
export function fieldOf(path: string): string {
  return path.replace(/\[\d+\].*$/, "");
}

/** The options of a job that differ from the defaults. */
function learningOf(spec: TrainingSpec): LearningOptions {
  const { task, on_leak, positive_class, column_types } = spec as LearningOptions;
  return {
    ...(task ? { task } : {}),
    ...(on_leak && on_leak !== "warn" ? { on_leak } : {}),
    ...(positive_class != null ? { positive_class } : {}),
    ...(column_types && Object.keys(column_types).length > 0 ? { column_types } : {}),
  };
}

/** The draft that submits the same job again; an empty one for a job that did not train. */
export function draftOfJob(job: JobView, parameters: Parameter[]): TrainingDraft {
  const spec = trainingSpec(job);
  if (!spec) return EMPTY_DRAFT;
  return {
    name: spec.name,
    dataset: spec.dataset,
    target: spec.target,
    features: spec.features,
    algorithm: spec.algorithm as TrainingRequest["algorithm"],
    learning: learningOf(spec),
    params: draftOf(parameters, spec.params as Record<string, string | number | null>),
    priority: String(spec.priority),
    seed: String(spec.seed),
    timeout: String(spec.timeout_s),
  };
}
