/** The audit log in words. */

/** The actions by kind, as the server records them. */
export const ACTIONS: Record<string, readonly string[]> = {
  account: ["create", "invite", "link", "update", "change_password", "reset_password", "delete"],
  api_key: ["create", "delete"],
  session: ["refuse", "end", "reuse_detected"],
  dataset: ["create", "delete"],
  training: ["submit", "submit_bulk", "cancel", "retry", "retry_all", "cancel_all", "action"],
  prediction: ["submit"],
  model: [
    "alias",
    "alias_delete",
    "rollback",
    "automatic_rollback",
    "traffic",
    "traffic_delete",
    "delete_version",
    "delete",
  ],
  schedule: ["create", "update", "trigger", "delete"],
  webhook: ["replay"],
  queue: ["pause", "resume"],
};

/** `user:<id>` with the e-mail address of the account, if it is known. */
export function subjectOf(subject: string, emails: ReadonlyMap<string, string>): string {
  const [kind, ...rest] = subject.split(":");
  const id = rest.join(":");
  return kind === "user" ? (emails.get(id) ?? subject) : subject;
}

/** The details as `name: value`, without empty ones. */
export function detailOf(detail: unknown): string {
  if (typeof detail !== "object" || detail === null) return "";
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
    .join(", ");
}
