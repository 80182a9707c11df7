/** Rules about the trials of the algorithm `auto`. */

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
