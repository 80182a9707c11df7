interface Props {
  label: string;
  items: { name: string; value: number }[];
  format: (value: number) => string;
}

/** Horizontal bars to both sides of zero, relative to the largest value. Read out as a list. */
export function SignedBars({ label, items, format }: Props) {
  const largest = Math.max(...items.map(({ value }) => Math.abs(value)), Number.EPSILON);
  return (
    <ul aria-label={label} className="space-y-2">
      {items.map(({ name, value }) => {
        const width = (Math.abs(value) / largest) * 50;
        return (
          <li key={name}>
            <div className="flex justify-between gap-3">
              <span className="min-w-0 truncate" title={name}>
                {name}
              </span>
              <span className="text-soft tabular-nums">{format(value)}</span>
            </div>
            <svg className="mt-1 block h-1.5 w-full" preserveAspectRatio="none" viewBox="0 0 100 6" aria-hidden="true">
              <rect className="fill-raised" width="100" height="6" />
              <rect
                className={value < 0 ? "fill-soft" : "fill-accent"}
                x={value < 0 ? 50 - width : 50}
                width={width}
                height="6"
              />
              <rect className="fill-ink" x="49.8" width="0.4" height="6" />
            </svg>
          </li>
        );
      })}
    </ul>
  );
}
