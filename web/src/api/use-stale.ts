import { notifyManager, type QueryCache, useQueryClient } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";
import { ApiError, messageOf } from "./problem";

/** Why shown data can't be refreshed, for example because the server can't reach its database; null while all is up to date. */
export function useStaleReason(): string | null {
  const cache = useQueryClient().getQueryCache();
  // The cache also reports while a component renders.
  const subscribe = useCallback((change: () => void) => cache.subscribe(notifyManager.batchCalls(change)), [cache]);
  return useSyncExternalStore(subscribe, () => staleReason(cache));
}

/** The error of the server behind data that a page shows. Other refusals have their place on the page. */
export function staleReason(cache: QueryCache): string | null {
  const stale = cache
    .getAll()
    .find((query) => query.isActive() && query.state.data !== undefined && isServerError(query.state.error));
  return stale ? messageOf(stale.state.error) : null;
}

function isServerError(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 500;
}
