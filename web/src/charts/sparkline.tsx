import { type PointerEvent, useState } from "react";
import { nearest, pathOf, runsOf, type Sample, type Window } from "../lib/sparkline";
import { exactTime } from "../lib/time";

interface Series {
  name: string;
  samples: Sample[];
  /** A second series that means trouble. */
  bad?: boolean;
}

interface Props {
  label: string;
  series: Series[];
  window: Window;
  intervalMs: number;
  format: (value: number) => string;
}

const WIDTH = 240;
const HEIGHT = 44;
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** One or two series of the last hour. The value under the pointer, or the newest, is in words. */
export function Sparkline({ label, series, window, intervalMs, format }: Props) {
  const [pointed, setPointed] = useState<number | null>(null);
  const runs = series.map(({ samples }) => runsOf(samples, intervalMs, window));
  const all = runs.flat(2).map(({ value }) => value ?? 0);
  const top = Math.max(...all, 0);
  const at = pointed ?? window.to;
  const readings = series.map((one) => ({ ...one, sample: nearest(one.samples, at) }));
  const point = (event: PointerEvent<SVGSVGElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setPointed(window.from + ((event.clientX - left) / width) * (window.to - window.from));
  };
  const value = (sample: Sample | undefined) => (sample?.value == null ? "–" : format(sample.value));
  const summary = readings.map(({ name, sample }) => `${name} now ${value(sample)}`).join(", ");
  const shownAt = pointed === null ? null : readings[0]?.sample?.at;
  return (
    <figure className="min-w-0">
      <figcaption className="mb-1 flex items-baseline justify-between gap-x-3">
        <span className="truncate text-soft">{label}</span>
        <span className="flex shrink-0 gap-3 font-medium tabular-nums">
          {readings.map(({ name, sample, bad }) => (
            <span key={name} className={bad && (sample?.value ?? 0) > 0 ? "text-bad" : undefined}>
              {value(sample)}
              {bad && <span className="font-normal text-soft"> {name}</span>}
            </span>
          ))}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="block h-11 w-full touch-pan-y overflow-visible"
        role="img"
        aria-label={`${label} in the last hour: ${summary}, at most ${format(top)}`}
        onPointerMove={point}
        onPointerLeave={() => setPointed(null)}
      >
        <rect width={WIDTH} height={HEIGHT} fill="transparent" />
        <line x2={WIDTH} y1={HEIGHT} y2={HEIGHT} className="stroke-line" vectorEffect="non-scaling-stroke" />
        {runs.map((ofSeries, index) =>
          ofSeries.map((run) => (
            <path
              key={`${series[index]?.name}-${run[0]?.at}`}
              d={pathOf(run, window, top, WIDTH, HEIGHT)}
              fill="none"
              className={series[index]?.bad ? "stroke-bad" : "stroke-accent"}
              strokeWidth="1.5"
              strokeLinejoin="round"
              vectorEffect="non-scaling-stroke"
            />
          )),
        )}
        {shownAt != null && (
          <line
            x1={((shownAt - window.from) / (window.to - window.from)) * WIDTH}
            x2={((shownAt - window.from) / (window.to - window.from)) * WIDTH}
            y2={HEIGHT}
            className="stroke-control"
            vectorEffect="non-scaling-stroke"
          />
        )}
      </svg>
      <div className="mt-1 flex justify-between text-xs text-soft tabular-nums">
        <span>
          {shownAt == null ? "1 h ago" : <span title={exactTime(new Date(shownAt))}>{CLOCK.format(shownAt)}</span>}
        </span>
        <span>{all.length === 0 ? "no samples yet" : `at most ${format(top)}`}</span>
      </div>
    </figure>
  );
}
