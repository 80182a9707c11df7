/** API keys: when a new one expires, and the state of an existing one. */

/** The choices for a new key, in days. Null is never. */
export const LIFETIMES: readonly { name: string; days: number | null }[] = [
  { name: "30 days", days: 30 },
  { name: "90 days", days: 90 },
  { name: "1 year", days: 365 },
  { name: "never", days: null },
];

const DAY_MS = 86_400_000;

/** The time of expiry for the request. */
export function expiryAfter(days: number | null, now: Date): string | null {
  return days === null ? null : new Date(now.getTime() + days * DAY_MS).toISOString();
}

export function isExpired(expiresAt: string | null, now: Date): boolean {
  return expiresAt !== null && new Date(expiresAt) <= now;
}
