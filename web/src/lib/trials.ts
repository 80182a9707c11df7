/** Rules about the trials of the algorithm `auto`. */
import { formatScore } from "./format";

export interface Trial {
  trial: number;
  algorithm: string;
  params: Record<string, unknown>;
  rows: number;
  folds: number;
  /** Smaller is better; `null` for a skipped trial. */
  score: number | null;
  seconds: number;
  /** 0 if the model is no member of the ensemble. */
  weight: number;
  skipped?: string;
}

export interface Search {
  budget_s: number;
  used_s: number;
  trials: number;
  /** `log_loss` or `rmse`. */
  metric: string;
  best_single: { trial: number; algorithm: string; score: number } | null;
  score: number | null;
  last_quarter_gain: number | null;
  /** Microseconds of a prediction for one row. */
  predict_us?: number;
}

/** What the search gained in the last quarter of its time, in words. */
export function lastQuarter(gain: number | null): string {
  if (gain === null) return "–";
  return gain > 0 ? formatScore(gain) : "none; more time would hardly help";
}

/** The trials of a search that is running, from its log. */
export interface LiveTrials {
  trials: LoggedTrial[];
  /** `log_loss` or `rmse`; null until a trial has a score. */
  metric: string | null;
  best: LoggedTrial | null;
  /** The score of the best ensemble so far, or of the best single model without an ensemble. */
  chosen: number | null;
}

/** A trial as its log line describes it. */
export interface LoggedTrial extends Omit<Trial, "params" | "weight"> {
  /** The parameters as text, after the reason if the trial was skipped. */
  about: string;
}

/**
 * `trial 3: svm, 1047 rows, 5 folds, log_loss 0.4521, 0.31 s, best 0.4411, c 2.1`, or `…, skipped: reason, c 2.1`.
 * `shared/ml/src/train/auto/report.rs` writes the line.
 */
const LINE =
  /^trial (\d+): (\w+), (\d+) rows, (\d+) folds, (?:(\w+) ([\d.e+-]+), ([\d.]+) s, best ([^,]+), (.*)|(skipped: .*))$/;

/** The trials in a log. A search that continues after an interruption may repeat a trial; its last line is used. */
export function liveTrials(log: readonly { message: string }[]): LiveTrials {
  const trials = new Map<number, LoggedTrial>();
  let metric: string | null = null;
  let chosen: number | null = null;
  for (const { message } of log) {
    const match = LINE.exec(message);
    if (!match) continue;
    const [, trial, algorithm = "", rows, folds, name, score, seconds, best, about, skipped] = match;
    if (name !== undefined) metric = name;
    if (Number.isFinite(Number(best))) chosen = Number(best);
    trials.set(Number(trial), {
      trial: Number(trial),
      algorithm,
      rows: Number(rows),
      folds: Number(folds),
      score: score === undefined ? null : Number(score),
      seconds: Number(seconds ?? 0),
      about: about ?? skipped ?? "",
    });
  }
  const listed = [...trials.values()];
  const scored = listed.filter(({ score }) => score !== null);
  const best = scored.reduce<LoggedTrial | null>(
    (least, one) => (least === null || (one.score ?? 0) < (least.score ?? 0) ? one : least),
    null,
  );
  return { trials: listed, metric, best, chosen };
}

/** The members of the ensemble by descending weight, then the other trials by score, then the skipped ones. */
export function byRank(trials: Trial[]): Trial[] {
  const score = (trial: Trial) => trial.score ?? Number.POSITIVE_INFINITY;
  const order = (a: Trial, b: Trial) => (score(a) === score(b) ? a.trial - b.trial : score(a) - score(b));
  return [...trials].sort((a, b) => b.weight - a.weight || order(a, b));
}

/** The parameters that differ from the defaults: `alpha 0.5, kernel rbf`. */
export function paramsText(params: Record<string, unknown>): string {
  const texts = Object.entries(params).map(([name, value]) => `${name} ${String(value)}`);
  return texts.length > 0 ? texts.join(", ") : "defaults";
}
