import { QueryClient } from "@tanstack/react-query";
import { connection } from "./connection";
import { ApiError, Unreachable } from "./problem";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // Refused requests are not repeated; the probe of the connection repeats the others.
      retry: false,
      networkMode: "always",
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false, networkMode: "always" },
  },
});

// Every page recovers by itself when the server is back.
connection.subscribe(() => {
  if (!connection.isAway()) void queryClient.invalidateQueries();
});

/** Polls with this interval. Pauses while the server is away; what an account may not read is not asked for again. */
export function every(ms: number) {
  return ({ state: { error } }: { state: { error: unknown } }) =>
    error instanceof Unreachable || (error instanceof ApiError && error.status === 403) ? false : ms;
}
