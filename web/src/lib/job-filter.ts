/**
 * The filters of the list of jobs. In the URL and for the server a filter is a text: values with commas between them (any of
 * them), or `!` and such values (none of them).
 */
import type { components } from "../api/schema";
import { KINDS } from "./job-kind";

export type JobStatus = components["schemas"]["StatusView"];
export type FailureCode = components["schemas"]["FailureCode"];

export const STATUSES: readonly JobStatus[] = ["queued", "running", "succeeded", "failed", "cancelled"];
export const ALGORITHMS: readonly components["schemas"]["AlgorithmName"][] = [
  "random_forest",
  "extra_trees",
  "gradient_boosting",
  "decision_tree",
  "svm",
  "logistic_regression",
  "ridge",
  "auto",
];

/** Why jobs fail, for people. The type demands an entry for each code of the server. */
export const FAILURES: Record<FailureCode, string> = {
  bad_data: "The data does not suit the algorithm",
  bad_params: "The parameters are not valid for the data",
  out_of_memory: "The job ran out of memory",
  timeout: "The job exceeded its time limit",
  output_limit: "The job wrote too much output",
  disk_limit: "The job used too much disk space",
  panicked: "The job stopped at a bug",
  crashed: "The process of the job died",
  dataset_missing: "The dataset does not exist any more",
  dataset_corrupt: "The stored dataset is damaged",
  model_missing: "The model version does not exist any more",
  model_corrupt: "The stored model is damaged",
  storage_unavailable: "The storage did not answer",
  disk_full: "The disk of the worker is full",
  internal: "The server made an error",
};

/** `search` first, then the filters in the order of the menu. */
export const JOB_FIELDS = [
  "search",
  "status",
  "kind",
  "name",
  "algorithm",
  "dataset",
  "error_code",
  "created_by",
] as const;
export type JobField = (typeof JOB_FIELDS)[number];
export type FilterField = Exclude<JobField, "search">;
export type JobFilter = { [field in JobField]?: string };

export const FIELD_NAMES: Record<FilterField, string> = {
  status: "Status",
  kind: "Kind",
  name: "Model",
  algorithm: "Algorithm",
  dataset: "Dataset",
  error_code: "Error",
  created_by: "Submitted by",
};

/** Fields whose values are known. */
export const CHOICES: { [field in FilterField]?: readonly string[] } = {
  status: STATUSES,
  kind: KINDS,
  algorithm: ALGORITHMS,
  error_code: Object.keys(FAILURES),
};

/** A filter as an editor needs it. */
export interface Condition {
  negated: boolean;
  values: string[];
}

export function parseCondition(text: string): Condition {
  const negated = text.startsWith("!");
  const values = text
    .slice(negated ? 1 : 0)
    .split(",")
    .map((value) => value.trim())
    .filter(Boolean);
  return { negated, values: [...new Set(values)] };
}

/** The text of a condition; undefined without values. */
export function formatCondition({ negated, values }: Condition): string | undefined {
  return values.length > 0 ? `${negated ? "!" : ""}${values.join(",")}` : undefined;
}

/** Drops what the server would refuse, such as an unknown status in a URL typed by hand. */
export function validFilter(filter: JobFilter): JobFilter {
  const valid: JobFilter = {};
  for (const field of JOB_FIELDS) {
    const text = filter[field];
    if (text === undefined) continue;
    if (field === "search") {
      if (text.trim()) valid.search = text;
      continue;
    }
    const { negated, values } = parseCondition(text);
    const choices = CHOICES[field];
    const known = choices ? values.filter((value) => choices.includes(value)) : values;
    const condition = formatCondition({ negated, values: known });
    if (condition) valid[field] = condition;
  }
  return valid;
}

const SHORT: Record<string, FilterField> = {
  status: "status",
  is: "status",
  kind: "kind",
  name: "name",
  model: "name",
  algorithm: "algorithm",
  dataset: "dataset",
  error: "error_code",
  error_code: "error_code",
};
const TOKEN = /^(-|!)?([a-z_]+):(!)?(\S+)$/;

/** `status:failed -model:x fold` becomes two filters and the search `fold`. Incomplete or unknown tokens stay text. */
export function readSearch(text: string, before: JobFilter): JobFilter {
  const filter: JobFilter = { ...before };
  const words: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const [, minus, key = "", mark, values = ""] = TOKEN.exec(word) ?? [];
    const field = SHORT[key];
    const condition = field && validFilter({ [field]: `${minus || mark ? "!" : ""}${values}` })[field];
    if (field && condition) filter[field] = condition;
    else words.push(word);
  }
  const search = words.join(" ");
  if (search) filter.search = search;
  else delete filter.search;
  return filter;
}

const MAX_SEARCH = 100;
const MAX_WORDS = 5;

/** Why the server would refuse a search; null if it accepts the text. */
export function refuseSearch(text: string): string | null {
  if ([...text.trim()].length > MAX_SEARCH) return `A search has at most ${MAX_SEARCH} characters.`;
  if (text.trim().split(/\s+/).length > MAX_WORDS) return `A search has at most ${MAX_WORDS} words.`;
  return null;
}

export type BulkAction = "cancel" | "retry";

const CAN_CHANGE: Record<BulkAction, readonly JobStatus[]> = {
  cancel: ["queued", "running"],
  retry: ["failed", "cancelled"],
};

/** The part of a filter that an action can change; null if it can change none. */
export function narrowed(filter: JobFilter, action: BulkAction): JobFilter | null {
  const { negated, values } = parseCondition(filter.status ?? "!");
  const left = CAN_CHANGE[action].filter((status) => values.includes(status) !== negated);
  const status = formatCondition({ negated: false, values: left });
  return status ? { ...filter, status } : null;
}

/** Whether the action can change a job in this status. */
export function canChange(action: BulkAction, status: JobStatus): boolean {
  return CAN_CHANGE[action].includes(status);
}
