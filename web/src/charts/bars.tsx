import { formatPercent } from "../lib/format";

interface Props {
  label: string;
  /** `spread` is a standard deviation, drawn as an error bar. */
  items: { name: string; value: number; spread?: number | null }[];
  /** Formats a value; a percentage by default. */
  format?: (value: number) => string;
}

/** Horizontal bars, relative to the largest value. Read out as a list. */
export function Bars({ label, items, format = formatPercent }: Props) {
  const largest = Math.max(...items.map(({ value, spread }) => Math.abs(value) + (spread ?? 0)), Number.EPSILON);
  const at = (value: number) => (Math.max(0, value) / largest) * 100;
  return (
    <ul aria-label={label} className="space-y-2">
      {items.map(({ name, value, spread = null }) => (
        <li key={name}>
          <div className="flex justify-between gap-3">
            <span className="min-w-0 truncate" title={name}>
              {name}
            </span>
            <span className="text-soft tabular-nums">
              {format(value)}
              {spread !== null && ` ± ${format(spread)}`}
            </span>
          </div>
          <svg
            className={`mt-1 block w-full ${spread === null ? "h-1.5" : "h-2.5"}`}
            preserveAspectRatio="none"
            viewBox="0 0 100 6"
            aria-hidden="true"
          >
            <rect className="fill-raised" width="100" height="6" />
            <rect className="fill-accent" width={at(Math.abs(value))} height="6" />
            {spread !== null && (
              <path
                className="stroke-ink"
                d={`M${at(value - spread)} 1v4M${at(value - spread)} 3H${at(value + spread)}M${at(value + spread)} 1v4`}
                vectorEffect="non-scaling-stroke"
              />
            )}
          </svg>
        </li>
      ))}
    </ul>
  );
}
