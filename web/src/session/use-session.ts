import { useSyncExternalStore } from "react";
import { connection } from "../api/connection";
import { session } from "./session";

export function useSession() {
  return useSyncExternalStore(session.subscribe, session.get);
}

export function useIsAway(): boolean {
  return useSyncExternalStore(connection.subscribe, connection.isAway);
}
