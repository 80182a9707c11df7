/** Rules about drift: recent requests, compared with the training. */
import type { components } from "../api/schema";

export type Drift = components["schemas"]["Drift"];
export type BinShare = components["schemas"]["BinShare"];

export type Level = "none" | "minor" | "major";

/** The usual limits of the population stability index. */
export const MINOR = 0.1;
export const MAJOR = 0.25;

/** How much a distribution has changed; null without an index. */
export function levelOf(psi: number | null): Level | null {
  if (psi === null) return null;
  if (psi > MAJOR) return "major";
  return psi > MINOR ? "minor" : "none";
}

export interface BinPair {
  bin: string;
  training: number;
  recent: number;
}

/** The shares of both sides by bin. Both lists have the same bins in the same order. */
export function pairsOf(training: BinShare[], recent: BinShare[]): BinPair[] {
  return training.map(({ bin, share }, at) => ({ bin, training: share, recent: recent[at]?.share ?? 0 }));
}

/** The features and the predictions as one list: the predictions first, then the features in the order of the server. */
export function columnsOf({ prediction, features }: Drift) {
  const predictions = { ...prediction, name: `Predictions of ${prediction.target}` };
  return [predictions, ...features.map((feature) => ({ ...feature, name: feature.feature }))];
}
