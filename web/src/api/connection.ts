/** Whether the server answers. While it does not, a probe runs, and the pages recover by themselves. */
import { Unreachable } from "./problem";

const PROBE_MS = 1_500;

let away = false;
const listeners = new Set<() => void>();

function set(value: boolean): void {
  if (away === value) return;
  away = value;
  for (const listener of listeners) listener();
}

async function probe(): Promise<void> {
  try {
    const response = await fetch("/health", { cache: "no-store" });
    if (response.ok) return set(false);
  } catch {
    // Still away.
  }
  setTimeout(probe, PROBE_MS);
}

export const connection = {
  isAway: (): boolean => away,

  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },

  /** Starts the probe. */
  lost(): void {
    if (away) return;
    set(true);
    setTimeout(probe, PROBE_MS);
  },

  /** `fetch` that reports a lost connection. An aborted request is not a lost connection. */
  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    try {
      return await fetch(input, init);
    } catch (error) {
      const signal = init?.signal ?? (input instanceof Request ? input.signal : null);
      if (signal?.aborted) throw error;
      connection.lost();
      throw new Unreachable();
    }
  },
};
