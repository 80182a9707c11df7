import type { ColumnView } from "../api/queries";
import { Histogram } from "../charts/histogram";
import { formatCount, formatNumber, formatPercent } from "../lib/format";

/** A number, or a time as the server writes it. */
function formatPoint(point: number | string): string {
  return typeof point === "number" ? formatNumber(point) : point.replace("T00:00:00Z", "");
}

/** The share of the rows. A small share is `< 1 %`, because `0 %` would mean that the value does not occur. */
function formatShare(count: number, rows: number): string {
  const share = count / Math.max(rows, 1);
  return share > 0 && share < 0.005 ? "< 1 %" : formatPercent(share, 0);
}

/** The range and the distribution of numbers and times, and the shares of the most frequent values. */
export function ColumnValues({ column, rows }: { column: ColumnView; rows: number }) {
  const top = column.top?.slice(0, 3) ?? [];
  if (column.min != null && column.max != null && column.dtype !== "boolean") {
    return (
      <span className="flex items-center gap-3">
        {column.histogram && <Histogram counts={column.histogram.counts} />}
        <span className="tabular-nums">
          {formatPoint(column.min)} to {formatPoint(column.max)}
        </span>
      </span>
    );
  }
  if (top.length === 0) return <span className="text-soft">–</span>;
  return (
    <span className="flex flex-wrap gap-x-3 gap-y-0.5">
      {top.map(({ value, count }) => (
        <span key={value} className="whitespace-nowrap">
          <span className="inline-block max-w-40 truncate align-bottom" title={value}>
            {value}
          </span>{" "}
          <span className="text-soft tabular-nums">{formatShare(count, rows)}</span>
        </span>
      ))}
      {column.distinct > top.length && (
        <span className="text-soft">and {formatCount(column.distinct - top.length)} more</span>
      )}
    </span>
  );
}
