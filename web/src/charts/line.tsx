import { formatMetric } from "../lib/format";
import { pointsOf, smallestSoFar } from "./scale";

interface Props {
  label: string;
  points: { step: number; value: number }[];
  /** Also draws the smallest value so far. */
  withBest?: boolean;
}

const WIDTH = 320;
const HEIGHT = 96;

/** A series of values by step, with its range and its last value in words. */
export function Line({ label, points, withBest = false }: Props) {
  const last = points.at(-1);
  if (!last) return null;
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const path = pointsOf(points, WIDTH, HEIGHT);
  const best = withBest ? smallestSoFar(points) : [];
  return (
    <figure>
      <figcaption className="mb-1 flex justify-between gap-3">
        <span className="font-medium">{label}</span>
        <span className="tabular-nums">{formatMetric(last.value)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="block h-24 w-full overflow-visible"
        role="img"
        aria-label={`${label}: ${points.length} values from ${formatMetric(low)} to ${formatMetric(high)}, last ${formatMetric(last.value)}`}
      >
        <line x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} className="stroke-line" vectorEffect="non-scaling-stroke" />
        <line x1="0" x2={WIDTH} y1="0" y2="0" className="stroke-line" vectorEffect="non-scaling-stroke" />
        {withBest && (
          <polyline
            points={pointsOf(best, WIDTH, HEIGHT, values)}
            fill="none"
            className="stroke-good"
            strokeWidth="1.75"
            strokeLinejoin="round"
            strokeDasharray="4 3"
            vectorEffect="non-scaling-stroke"
          />
        )}
        <polyline
          points={path}
          fill="none"
          className="stroke-accent"
          strokeWidth="1.75"
          strokeLinejoin="round"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <div className="mt-1 flex justify-between text-xs text-soft tabular-nums">
        <span>
          {formatMetric(low)} to {formatMetric(high)}
          {withBest && <span className="text-good"> · dashed: the best so far</span>}
        </span>
        <span>step {last.step}</span>
      </div>
    </figure>
  );
}
