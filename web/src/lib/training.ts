/** The training form: its draft, its request, and where the server's errors belong. */
import type { ColumnView, JobView } from "../api/queries";
import type { components } from "../api/schema";
import { type TrainingSpec, trainingSpec } from "./job-kind";
import { NAME, NAME_RULE } from "./models";
import { draftOf, type Parameter, parseParameters } from "./parameters";

export type TrainingRequest = components["schemas"]["TrainingRequest"];
export type Task = components["schemas"]["TaskName"];
export type PromotionMetric = components["schemas"]["PromotionMetricName"];

/** Options of the learning task. Options that are left out follow from the data. */
export interface LearningOptions {
  task?: Task;
  on_leak?: "warn" | "drop" | "refuse";
  positive_class?: unknown;
  column_types?: Record<string, ColumnView["dtype"]>;
}

/** The metrics by which a new version is compared with the one in production. */
export const PROMOTION_METRICS: Record<Task, readonly PromotionMetric[]> = {
  classification: ["accuracy", "roc_auc", "log_loss", "f1", "precision", "recall"],
  regression: ["r2", "rmse", "mae"],
};

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
  attempts: string;
  /** Local date and time as the browser's input has it; empty for at once. */
  runAt: string;
  /** The metric that decides about the promotion; empty if none does. */
  promoteBy: PromotionMetric | "";
  improvement: string;
  webhook: string;
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
  attempts: "3",
  runAt: "",
  promoteBy: "",
  improvement: "0",
  webhook: "",
};

type WholeField = "priority" | "seed" | "timeout" | "attempts";
/** The field of the API with its bounds, by field of the form. */
const WHOLE: Record<WholeField, [path: string, least: number, most: number]> = {
  priority: ["priority", -10, 10],
  seed: ["seed", 0, Number.MAX_SAFE_INTEGER],
  timeout: ["timeout_s", 1, 86_400],
  attempts: ["max_attempts", 1, 20],
};
/** A target of more different numbers is a regression, as the server decides. */
const MAX_NUMBER_CLASSES = 20;

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

/** The columns with the types that the job gives them. */
export function typedColumns(columns: ColumnView[], { column_types = {} }: LearningOptions): ColumnView[] {
  return columns.map((column) => ({ ...column, dtype: column_types[column.name] ?? column.dtype }));
}

/** What the target is predicted as; null without a target. */
export function taskOf({ target, learning }: TrainingDraft, columns: ColumnView[]): Task | null {
  const column = columns.find(({ name }) => name === target);
  if (learning.task || !column) return learning.task ?? null;
  return column.dtype === "number" && column.distinct > MAX_NUMBER_CLASSES ? "regression" : "classification";
}

/** The labels of a target with two classes; empty for every other column. */
export function labelsOf(column: ColumnView | undefined): string[] {
  if (column?.distinct !== 2) return [];
  if (column.top) return column.top.map(({ value }) => value);
  return column.min != null && column.max != null ? [String(column.min), String(column.max)] : [];
}

/** The target that a new form proposes: the one that the server suggests, or the last column that looks like one. */
export function proposedTarget(columns: ColumnView[], suggested?: string | null): string {
  if (suggested && columns.some((column) => column.name === suggested && canBeTarget(column))) return suggested;
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

/** Chosen features that the dataset does not have, for example after a new version of the dataset. */
export function lostFeatures({ features }: TrainingDraft, columns: ColumnView[]): string[] {
  const known = new Set(columns.map(({ name }) => name));
  return (features ?? []).filter((name) => !known.has(name));
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
  if (!NAME.test(draft.name)) errors.name = NAME_RULE;
  if (!draft.target) errors.target = "choose the column to predict";
  if (features.length === 0) errors.features = "choose at least one feature";
  for (const [field, [path, least, most]] of Object.entries(WHOLE)) {
    const value = Number(draft[field as WholeField].trim() || Number.NaN);
    if (!Number.isInteger(value) || value < least || value > most) {
      errors[path] = `must be a whole number from ${least} to ${most}`;
    }
  }
  const improvement = Number(draft.improvement.trim().replace(",", ".") || 0);
  if (draft.promoteBy && !(improvement >= 0 && Number.isFinite(improvement))) {
    errors["auto_promote.min_improvement"] = "must be a number, 0 or more";
  }
  const runAt = draft.runAt ? new Date(draft.runAt) : null;
  if (runAt && Number.isNaN(runAt.getTime())) errors.run_at = "must be a date with a time";
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
      max_attempts: Number(draft.attempts),
      ...(runAt ? { run_at: runAt.toISOString() } : {}),
      ...(draft.promoteBy ? { auto_promote: { metric: draft.promoteBy, min_improvement: improvement } } : {}),
      ...(draft.webhook.trim() ? { webhook_url: draft.webhook.trim() } : {}),
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

/** Why the webhook URL of a job can't be copied; null if it can. */
export function maskedWebhook({ webhook_url }: { webhook_url?: string | null }): string | null {
  if (!webhook_url?.includes("***")) return null;
  return `The webhook URL ${webhook_url} is left out, because its secret part is not shown.`;
}

/** The draft that submits the same job again, at once; an empty one for a job that did not train. */
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
    attempts: String(spec.max_attempts),
    runAt: "",
    promoteBy: spec.auto_promote?.metric ?? "",
    improvement: String(spec.auto_promote?.min_improvement ?? 0),
    webhook: maskedWebhook(spec) ? "" : (spec.webhook_url ?? ""),
  };
}
