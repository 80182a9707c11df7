import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { authorized } from "../api/client";
import { connection } from "../api/connection";
import { errorOf } from "../api/problem";
import { readEvents } from "../lib/events";
import { addEvents, EMPTY_HISTORY, type JobHistory } from "../lib/job-events";

const RECONNECT_MS = 1_000;

export interface FollowedHistory extends JobHistory {
  /** Why the stream can't be read; null while it can. */
  error: Error | null;
}

/** Follows the events of a job until the job has ended. After a lost connection it continues where it stopped. */
export function useJobHistory(id: string, attemptSeries: string): FollowedHistory {
  const client = useQueryClient();
  const [history, setHistory] = useState<FollowedHistory>({ ...EMPTY_HISTORY, error: null });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a retried job has new events, which begin with another series
  useEffect(() => {
    const stop = new AbortController();
    let current: JobHistory = EMPTY_HISTORY;
    setHistory({ ...current, error: null });
    const follow = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        try {
          const headers: HeadersInit = current.lastId ? { "last-event-id": current.lastId } : {};
          const request = new Request(`/training/${encodeURIComponent(id)}/events`, { headers, signal: stop.signal });
          const response = await authorized(request);
          // 204 and the end of the stream: no further event will come.
          if (response.status === 204) return;
          if (!response.ok) {
            const error = await errorOf(response);
            if (response.status < 500 && response.status !== 429) return setHistory({ ...current, error });
            throw error;
          }
          await readEvents(response, (events) => {
            current = addEvents(current, events);
            setHistory({ ...current, error: null });
            // The job itself changes with its status and its progress.
            if (events.some(({ event }) => event === "status" || event === "progress")) {
              void client.invalidateQueries({ queryKey: ["jobs", id] });
            }
          });
        } catch {
          if (stop.signal.aborted) return;
          // The fetch of a stream can break without the server being away.
          if (connection.isAway()) await connectionIsBack(stop.signal);
        }
        await pause(RECONNECT_MS);
      }
    };
    void follow();
    return () => stop.abort();
  }, [id, attemptSeries, client]);
  return history;
}

function connectionIsBack(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      if (connection.isAway() && !signal.aborted) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = connection.subscribe(finish);
    signal.addEventListener("abort", finish);
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
