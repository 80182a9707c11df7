/** The geometry of a sparkline over a time window. */

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  value: number | null;
}

export interface Window {
  from: number;
  to: number;
}

/** An interval longer than this many sample intervals is a gap. */
const GAP = 1.5;

/** The samples inside of the window in runs without a gap. A missing value is a gap, too. */
export function runsOf(samples: Sample[], intervalMs: number, { from, to }: Window): Sample[][] {
  const runs: Sample[][] = [];
  let run: Sample[] = [];
  for (const sample of samples) {
    if (sample.at < from || sample.at > to) continue;
    const last = run.at(-1);
    if (sample.value === null || (last && sample.at - last.at > GAP * intervalMs)) {
      if (run.length > 0) runs.push(run);
      run = [];
    }
    if (sample.value !== null) run.push(sample);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/** The SVG path of a run in a box of this size; values are from 0 to `top`. A single sample is a short line. */
export function pathOf(run: Sample[], window: Window, top: number, width: number, height: number): string {
  const x = (at: number) => round(((at - window.from) / (window.to - window.from)) * width);
  const y = (value: number) => round(height - (value / (top || 1)) * height);
  const points = run.map(({ at, value }) => `${x(at)} ${y(value ?? 0)}`);
  if (points.length === 1) points.push(`${x(run[0]?.at ?? 0) + 1} ${y(run[0]?.value ?? 0)}`);
  return `M${points.join("L")}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The sample that is nearest to a time. */
export function nearest(samples: Sample[], at: number): Sample | undefined {
  let best: Sample | undefined;
  for (const sample of samples) {
    if (!best || Math.abs(sample.at - at) < Math.abs(best.at - at)) best = sample;
  }
  return best;
}
