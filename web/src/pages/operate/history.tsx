import { useQuery } from "@tanstack/react-query";
import { type HistoryPoint, operate } from "../../api/operate-queries";
import { messageOf } from "../../api/problem";
import { Sparkline } from "../../charts/sparkline";
import { formatCount, formatDuration } from "../../lib/format";
import { Panel } from "../../ui/page";

const MINUTES = 60;

/** The last hour of the queue. Its height is the same before the samples arrive. */
export function History() {
  const history = useQuery(operate.history(MINUTES));
  const points = history.data?.points ?? [];
  const to = Math.max(history.dataUpdatedAt, new Date(points.at(-1)?.at ?? 0).getTime());
  const window = { from: to - MINUTES * 60_000, to };
  const intervalMs = (history.data?.interval_s ?? 60) * 1000;
  const samples = (value: (point: HistoryPoint) => number | null) =>
    points.map((point) => ({ at: new Date(point.at).getTime(), value: value(point) }));
  const shared = { window, intervalMs };
  return (
    <Panel title="The last hour">
      {history.isError && (
        <p role="alert" className="mb-3 text-bad">
          {messageOf(history.error)}
        </p>
      )}
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2 lg:grid-cols-4">
        <Sparkline
          label="Queued"
          series={[{ name: "queued", samples: samples(({ queued }) => queued) }]}
          format={formatCount}
          {...shared}
        />
        <Sparkline
          label="Running"
          series={[{ name: "running", samples: samples(({ running }) => running) }]}
          format={formatCount}
          {...shared}
        />
        <Sparkline
          label="Oldest waits for"
          series={[{ name: "oldest", samples: samples(({ oldest_age_s }) => oldest_age_s ?? 0) }]}
          format={(seconds) => (seconds === 0 ? "0 s" : formatDuration(seconds))}
          {...shared}
        />
        <Sparkline
          label="Ended a minute"
          series={[
            { name: "ended", samples: samples(({ finished }) => finished) },
            { name: "failed", samples: samples(({ failed }) => failed), bad: true },
          ]}
          format={formatCount}
          {...shared}
        />
      </div>
    </Panel>
  );
}
