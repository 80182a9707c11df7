/** The distribution of a column as small bars. The range beside it is in words, so the bars are only decoration. */
export function Histogram({ counts }: { counts: number[] }) {
  const largest = Math.max(...counts, 1);
  const width = 100 / Math.max(counts.length, 1);
  return (
    <svg className="h-5 w-16 shrink-0" preserveAspectRatio="none" viewBox="0 0 100 20" aria-hidden="true">
      {counts.map((count, at) => {
        const height = count > 0 ? Math.max(1, (count / largest) * 20) : 0;
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bin has no identity but its place
            key={at}
            className="fill-accent"
            x={at * width}
            y={20 - height}
            width={width - 1}
            height={height}
          />
        );
      })}
    </svg>
  );
}
