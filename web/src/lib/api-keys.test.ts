import { describe, expect, it } from "vitest";
import { expiryAfter, isExpired } from "./api-keys";

const now = new Date("2026-01-31T12:00:00Z");

describe("API keys", () => {
  it("expire after a number of days, or never", () => {
    expect(expiryAfter(30, now)).toBe("2026-03-02T12:00:00.000Z");
    expect(expiryAfter(null, now)).toBeNull();
  });

  it("are expired from the time of expiry on", () => {
    expect(isExpired("2026-01-31T12:00:00Z", now)).toBe(true);
    expect(isExpired("2026-01-31T12:00:01Z", now)).toBe(false);
    expect(isExpired(null, now)).toBe(false);
  });
});
