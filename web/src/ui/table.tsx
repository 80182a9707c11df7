import type { ReactNode } from "react";
import { classes } from "./classes";

export interface Column<T> {
  name: string;
  cell: (row: T) => ReactNode;
  /** Numbers are aligned at the right. */
  numeric?: boolean;
  /** Hidden on narrow screens. */
  wide?: boolean;
  /** The name is read out and not shown. */
  hiddenName?: boolean;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
}

export function Table<T>({ label, columns, rows, rowKey }: Props<T>) {
  const look = ({ numeric, wide }: Column<T>) =>
    classes(
      "px-3 first:pl-4 last:pr-4",
      numeric && "text-right whitespace-nowrap tabular-nums",
      wide && "hidden md:table-cell",
    );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs the keyboard
    <section className="card relative overflow-x-auto" aria-label={label} tabIndex={0}>
      <table className="w-full border-collapse">
        <caption className="sr-only">{label}</caption>
        <thead>
          <tr className="border-b border-line text-left text-xs text-soft">
            {columns.map((column) => (
              <th key={column.name} scope="col" className={classes(look(column), "h-9 font-medium whitespace-nowrap")}>
                {column.hiddenName ? <span className="sr-only">{column.name}</span> : column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row) => (
            <tr key={rowKey(row)} className="hover:bg-raised">
              {columns.map((column) => (
                <td key={column.name} className={classes(look(column), "h-11 py-1.5")}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface PagerProps {
  page: number;
  hasNext: boolean;
  onPage: (page: number) => void;
}

/** Buttons for pages that are known by a cursor. */
export function Pager({ page, hasNext, onPage }: PagerProps) {
  if (page === 1 && !hasNext) return null;
  const look = "h-8 rounded-md border border-control bg-panel px-3 font-medium hover:bg-raised disabled:opacity-55";
  return (
    <nav aria-label="Pages" className="mt-3 flex items-center justify-end gap-2 text-soft">
      <span className="mr-2">Page {page}</span>
      <button type="button" className={look} disabled={page === 1} onClick={() => onPage(page - 1)}>
        Previous
      </button>
      <button type="button" className={look} disabled={!hasNext} onClick={() => onPage(page + 1)}>
        Next
      </button>
    </nav>
  );
}
