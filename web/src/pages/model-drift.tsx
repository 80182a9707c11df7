import { useQuery } from "@tanstack/react-query";
import { messageOf } from "../api/problem";
import { queries } from "../api/queries";
import { PairedBars } from "../charts/paired-bars";
import { columnsOf, type Drift as DriftView, type Level, levelOf, MAJOR, MINOR, pairsOf } from "../lib/drift";
import { formatDuration, formatMetric, plural } from "../lib/format";
import { Badge } from "../ui/badge";
import { Panel } from "../ui/page";

const LEVELS: Record<Level, { tone: "good" | "warn" | "bad"; word: string }> = {
  none: { tone: "good", word: "no change" },
  minor: { tone: "warn", word: "minor change" },
  major: { tone: "bad", word: "major change" },
};

/** At most this many columns are shown, those with the largest index. */
const MAX_COLUMNS = 30;
/** These are open at first. */
const OPEN = 3;

/** Recent requests of the production version, compared with its training. */
export function Drift({ name }: { name: string }) {
  const drift = useQuery(queries.drift(name));
  return (
    <Panel title="Drift">
      {drift.data ? (
        <Columns drift={drift.data} />
      ) : (
        <p className="text-soft" aria-busy={drift.isPending}>
          {drift.isError ? messageOf(drift.error) : "Loading recent requests"}
        </p>
      )}
    </Panel>
  );
}

function Columns({ drift }: { drift: DriftView }) {
  const { rows, min_rows, window_s, version } = drift;
  const columns = columnsOf(drift);
  return (
    <div className="space-y-4">
      <p className="max-w-3xl text-soft">
        {plural(rows, "row")} of version {version} in the last {formatDuration(window_s)}, in the process that answered,
        compared with the training rows. The population stability index (PSI) adds up the differences of all shares: up
        to {MINOR} there is no noteworthy change, above {MAJOR} there is a major one, and the model may be less accurate
        than its metrics.
        {rows < min_rows && ` The index needs at least ${plural(min_rows, "row")}.`}
      </p>
      <ul className="divide-y divide-line">
        {columns.slice(0, MAX_COLUMNS).map(({ name, psi, training, recent }, at) => (
          <li key={name} className="py-2 first:pt-0 last:pb-0">
            <details open={rows > 0 && at < OPEN}>
              <summary>
                <span className="font-medium break-all">{name}</span> <Index psi={psi} />
              </summary>
              <div className="mt-2">
                <PairedBars label={`Shares of ${name}`} items={pairsOf(training, recent)} />
              </div>
            </details>
          </li>
        ))}
      </ul>
      {columns.length > MAX_COLUMNS && (
        <p className="text-soft">
          {plural(columns.length - MAX_COLUMNS, "more feature")} with a smaller index: see GET /inference/drift.
        </p>
      )}
    </div>
  );
}

function Index({ psi }: { psi: number | null }) {
  const level = levelOf(psi);
  if (psi === null || level === null) return <Badge>no index</Badge>;
  const { tone, word } = LEVELS[level];
  return (
    <Badge tone={tone}>
      PSI {formatMetric(psi)}, {word}
    </Badge>
  );
}
