import { notifyManager, useQueryClient } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";
import { ApiError, messageOf } from "./problem";

/** Why shown data can't be refreshed, for example because the server can't reach its database; null while all is up to date. */
export function useStaleReason(): string | null {
  const cache = useQueryClient().getQueryCache();
  // The cache also reports while a component renders.
  const subscribe = useCallback((change: () => void) => cache.subscribe(notifyManager.batchCalls(change)), [cache]);
  return useSyncExternalStore(subscribe, () => {
    const isStale = ({ data, error }: { data: unknown; error: unknown }) => data !== undefined && isTrouble(error);
    const stale = cache.getAll().find((query) => query.isActive() && isStale(query.state));
    return stale ? messageOf(stale.state.error) : null;
  });
}

/** A trouble of the server. Other refusals have their place on the page. */
function isTrouble(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 500;
}
