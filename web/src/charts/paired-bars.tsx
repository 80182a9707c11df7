import { formatPercent } from "../lib/format";

interface Props {
  label: string;
  items: { bin: string; training: number; recent: number }[];
}

/** Two bars for each bin: the training above, recent requests below. Read out as a table. */
export function PairedBars({ label, items }: Props) {
  const largest = Math.max(...items.flatMap(({ training, recent }) => [training, recent]), Number.EPSILON);
  return (
    <table className="w-full tabular-nums">
      <caption className="sr-only">{label}</caption>
      <thead>
        <tr className="text-left text-xs text-soft">
          <th scope="col" className="w-2/5 py-1 font-medium">
            Values
          </th>
          <td className="max-sm:hidden" />
          <th scope="col" className="w-20 py-1 text-right font-medium">
            <Key className="fill-soft" /> Training
          </th>
          <th scope="col" className="w-20 py-1 text-right font-medium">
            <Key className="fill-accent" /> Recent
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ bin, training, recent }) => (
          <tr key={bin}>
            <th scope="row" className="max-w-0 truncate py-0.5 pr-3 text-left font-normal" title={bin}>
              {bin}
            </th>
            <td className="py-0.5 max-sm:hidden">
              <svg className="block h-3 w-full" preserveAspectRatio="none" viewBox="0 0 100 12" aria-hidden="true">
                <rect className="fill-soft" width={(training / largest) * 100} height="5" />
                <rect className="fill-accent" y="6" width={(recent / largest) * 100} height="5" />
              </svg>
            </td>
            <td className="py-0.5 text-right text-soft">{formatPercent(training)}</td>
            <td className="py-0.5 text-right">{formatPercent(recent)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The colour of a column's bars. */
function Key({ className }: { className: string }) {
  return (
    <svg viewBox="0 0 8 8" className={`inline size-2 max-sm:hidden ${className}`} aria-hidden="true">
      <rect width="8" height="8" rx="1.5" />
    </svg>
  );
}
