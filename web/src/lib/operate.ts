/** The parts of the section Operate, and the accounts that may open each. */
import { isAdmin, mayRead, type SessionState } from "../session/session";

const PARTS = [
  { to: "/operate/queue", label: "Queue", allowed: (state: SessionState) => mayRead(state, "queue") },
  { to: "/operate/failures", label: "Failures", allowed: (state: SessionState) => mayRead(state, "training") },
  { to: "/operate/schedules", label: "Schedules", allowed: (state: SessionState) => mayRead(state, "schedules") },
  { to: "/operate/webhooks", label: "Webhooks", allowed: (state: SessionState) => mayRead(state, "webhooks") },
  { to: "/operate/users", label: "Users", allowed: isAdmin },
  { to: "/operate/audit", label: "Audit log", allowed: isAdmin },
] as const;

export type OperatePart = (typeof PARTS)[number];

/** The parts that the account may open, in their order. */
export function operateParts(state: SessionState): OperatePart[] {
  return PARTS.filter(({ allowed }) => allowed(state));
}
