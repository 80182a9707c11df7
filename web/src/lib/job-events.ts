/** The events of a job: its log and the metrics of its training. */
import type { ServerEvent } from "./events";

export interface LogLine {
  id: string;
  at: string;
  level: string;
  message: string;
}

export interface MetricPoint {
  step: number;
  value: number;
}

export interface JobHistory {
  log: LogLine[];
  metrics: Record<string, MetricPoint[]>;
  /** Older lines that are not kept. */
  dropped: number;
  /** The last event; a new connection continues after it. */
  lastId: string | null;
}

export const EMPTY_HISTORY: JobHistory = { log: [], metrics: {}, dropped: 0, lastId: null };

/** A browser can't show more lines at a useful speed; the newest are kept. */
const MAX_LINES = 5_000;

/** Adds events. A metric of a later attempt replaces the series when its steps begin again. */
export function addEvents(history: JobHistory, events: ServerEvent[]): JobHistory {
  const log = [...history.log];
  const metrics = { ...history.metrics };
  let { lastId } = history;
  for (const { id, event, data } of events) {
    if (id) lastId = id;
    const value = parse(data);
    if (event === "log" && value) {
      log.push({ id, at: String(value.at), level: String(value.level), message: String(value.message) });
    } else if (event === "metric" && typeof value?.step === "number") {
      // Metrics without a step are the result, which the job itself has.
      const name = String(value.name);
      const point = { step: value.step, value: Number(value.value) };
      const before = metrics[name] ?? [];
      const restarted = before.length > 0 && point.step <= (before.at(-1)?.step ?? 0);
      metrics[name] = restarted ? [point] : [...before, point];
    }
  }
  const dropped = history.dropped + Math.max(0, log.length - MAX_LINES);
  return { log: log.slice(-MAX_LINES), metrics, dropped, lastId };
}

function parse(data: string): Record<string, unknown> | null {
  try {
    return JSON.parse(data) as Record<string, unknown>;
  } catch {
    return null;
  }
}
