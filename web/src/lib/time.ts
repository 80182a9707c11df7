const UNITS: [string, number][] = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
];
const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

/** `3 min ago`; dates after 30 days. */
export function relativeTime(at: string | Date, now: Date): string {
  const time = new Date(at);
  const seconds = Math.round((time.getTime() - now.getTime()) / 1000);
  const age = Math.abs(seconds);
  if (age < 5) return "just now";
  if (age > 30 * 86_400) return DAY.format(time);
  const [unit, size] = UNITS.find(([, size]) => age >= size) ?? ["s", 1];
  const text = `${Math.floor(age / size)} ${unit}`;
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}

/** Date and time with seconds and the time zone. */
export function exactTime(at: string | Date): string {
  return EXACT.format(new Date(at));
}

/** How often a relative time changes, in milliseconds. */
export function refreshEvery(at: string | Date, now: Date): number {
  const age = Math.abs(new Date(at).getTime() - now.getTime());
  return age < 60_000 ? 1_000 : age < 3_600_000 ? 20_000 : 300_000;
}
