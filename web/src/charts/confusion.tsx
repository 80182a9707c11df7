interface Props {
  label: string;
  counts: number[][];
  labels: unknown[];
}

/** The confusion matrix: rows are the true classes, columns the predicted ones. */
export function Confusion({ label: name, counts, labels }: Props) {
  const largest = Math.max(...counts.flat(), 1);
  const shade = (count: number) => Math.min(4, Math.ceil((count / largest) * 4));
  const fills = ["bg-transparent", "bg-accent/5", "bg-accent/10", "bg-accent/15", "bg-accent/25"];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs the keyboard
    <section className="relative overflow-x-auto" tabIndex={0} aria-label={name}>
      <table className="border-separate border-spacing-1 text-center tabular-nums">
        <caption className="sr-only">Confusion matrix: rows are the true classes, columns the predicted ones</caption>
        <thead>
          <tr className="text-xs text-soft">
            <td className="pr-2 text-right">true ╲ predicted</td>
            {labels.map((label) => (
              <th key={String(label)} scope="col" className="px-2 pb-1 font-medium">
                {String(label)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {counts.map((row, at) => (
            <tr key={String(labels[at])}>
              <th scope="row" className="pr-2 text-right text-xs font-medium text-soft">
                {String(labels[at])}
              </th>
              {row.map((count, column) => (
                <td
                  key={String(labels[column])}
                  className={`min-w-16 rounded border border-line px-3 py-2.5 ${fills[shade(count)]}`}
                >
                  {count}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
