import type { components } from "./schema";

export type Problem = components["schemas"]["Problem"];

/** A refused request. `problem` is the server's problem document. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
    readonly retryAfterS: number | null = null,
  ) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
  }

  /** The messages by field path, such as `params.n_trees`. */
  get fields(): Record<string, string> {
    return Object.fromEntries((this.problem.errors ?? []).map(({ field, message }) => [field, message]));
  }
}

/** The server sent no usable response: it is down, restarting or unreachable. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  constructor() {
    super("Trainyard does not answer. The page continues when the server is back.");
  }
}

/** The error of a response that is not successful. */
export async function errorOf(response: Response): Promise<ApiError | Unreachable> {
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("problem+json")) {
    // A proxy answers for a server that is down.
    return [502, 503, 504].includes(response.status) ? new Unreachable() : new ApiError(response.status, {});
  }
  const seconds = Number(response.headers.get("retry-after"));
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return new ApiError(response.status, problem, Number.isFinite(seconds) && seconds > 0 ? seconds : null);
}

/** The messages of an error by field path; none if it is not about fields. */
export function fieldsOf(error: unknown): Record<string, string> {
  return error instanceof ApiError ? error.fields : {};
}

/** Whether the resource does not exist, or no longer. */
export function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** One sentence for a person. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError) {
    const [only, ...more] = error.problem.errors ?? [];
    if (only && more.length === 0) return `${only.field}: ${only.message}`;
    return error.retryAfterS ? `${error.message} (try again in ${error.retryAfterS} s)` : error.message;
  }
  return error instanceof Error ? error.message : String(error);
}
