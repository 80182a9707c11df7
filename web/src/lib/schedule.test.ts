import { describe, expect, it } from "vitest";
import type { JobView } from "../api/queries";
import { requestOf, timezones } from "./schedule";

const SPEC = { name: "x", dataset: "sales", dataset_version: 3, run_at: "2026-03-01T12:00:00Z", seed: 7 };
const job = (webhook_url: string | null) => ({ spec: { ...SPEC, webhook_url } }) as unknown as JobView;

describe("schedules", () => {
  it("makes a schedule of a job without its time and its dataset version", () => {
    expect(requestOf(job("https://example.com/hook"))).toEqual({
      request: { name: "x", dataset: "sales", seed: 7, webhook_url: "https://example.com/hook" },
      dropped: null,
    });
  });

  it("leaves out a webhook URL whose secret is masked, and says so", () => {
    const { request, dropped } = requestOf(job("https://example.com/hook?***"));
    expect(request).not.toHaveProperty("webhook_url");
    expect(dropped).toContain("https://example.com/hook?***");
  });

  it("lists the time zone of the browser first", () => {
    const zones = timezones();
    expect(zones[0]).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
    expect(zones.filter((zone) => zone === "UTC")).toHaveLength(1);
  });
});
