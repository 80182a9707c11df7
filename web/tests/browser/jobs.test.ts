/** The list of jobs: search and filters, new jobs, selection, bulk actions, the keyboard. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Watched } from "./browser";
import type { Server } from "./server";
import { setUp } from "./set-up";

const JOB = { algorithm: "decision_tree", features: ["sex"] };

/** Queued jobs, in this order; the last one is the newest. */
function submit(server: Server, names: string[], more: Record<string, unknown> = {}) {
  return server.call("POST", "/training/bulk", { jobs: names.map((name) => ({ ...JOB, name, ...more })) });
}

const started = setUp({}, async (server) => {
  await server.call("POST", "/queue/pause");
  await submit(server, ["alpha", "beta", "gamma"]);
  await submit(server, ["delta"], { algorithm: "random_forest", priority: 3 });
});

const names = (page: Page) => page.locator("tr[data-row] a[href*='/jobs/'] > span:first-child").allTextContents();
const shows = (page: Page, expected: string[]) => expect.poll(() => names(page)).toEqual(expected);

async function openJobs(search = ""): Promise<Watched> {
  const watched = await started.signedIn(`/console/jobs${search}`);
  await watched.page.getByRole("table").waitFor();
  return watched;
}

describe("list of jobs", () => {
  it("combines the search with filters, which can be negated and are in the URL", async () => {
    const { page, problems } = await openJobs();
    await shows(page, ["delta", "gamma", "beta", "alpha"]);
    await page.getByText("4 jobs, newest first, live.").waitFor();
    const search = page.getByLabel("Search jobs");
    await search.fill("admin@ bet");
    await shows(page, ["beta"]);
    await search.fill("algorithm:random_forest ");
    await page.getByRole("button", { name: "Change the filter: Algorithm is Random forest" }).waitFor();
    await shows(page, ["delta"]);
    // The chip negates the filter.
    await page.getByRole("button", { name: /Change the filter: Algorithm/ }).click();
    await page.getByLabel("is not").check();
    await page.keyboard.press("Escape");
    await shows(page, ["gamma", "beta", "alpha"]);
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await page.getByRole("button", { name: "Model" }).click();
    await page.getByLabel(/Model: names/).fill("alpha, delta");
    await page.keyboard.press("Enter");
    await shows(page, ["alpha"]);
    const { searchParams } = new URL(page.url());
    expect(Object.fromEntries(searchParams)).toEqual({ algorithm: "!random_forest", name: "alpha,delta" });
    await page.reload();
    await shows(page, ["alpha"]);
    await page.getByRole("button", { name: /Remove the filter: Model/ }).click();
    await shows(page, ["gamma", "beta", "alpha"]);
    // A URL with an unknown value loses this value, and works.
    await page.goto("/console/jobs?status=queued,ended&name=!alpha");
    await shows(page, ["delta", "gamma", "beta"]);
    expect(problems).toEqual([]);
  });

  it("says how many jobs are new instead of moving, also while rows are selected", async () => {
    const { page, problems } = await openJobs();
    await shows(page, ["delta", "gamma", "beta", "alpha"]);
    await submit(started.server, ["new-1", "new-2"]);
    const pill = page.getByRole("button", { name: "2 new" });
    await pill.waitFor();
    await shows(page, ["delta", "gamma", "beta", "alpha"]);
    await page.getByLabel(/^Select gamma/).check();
    await submit(started.server, ["new-3"]);
    await page.getByRole("button", { name: "3 new" }).waitFor();
    await shows(page, ["delta", "gamma", "beta", "alpha"]);
    await page.getByRole("button", { name: "3 new" }).click();
    await shows(page, ["new-3", "new-2", "new-1", "delta", "gamma", "beta", "alpha"]);
    expect(await page.getByRole("region", { name: "Selected jobs" }).count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it("cancels the selected jobs", async () => {
    await submit(started.server, ["pick-1", "pick-2", "pick-3"]);
    const { page, problems } = await openJobs("?search=pick");
    await shows(page, ["pick-3", "pick-2", "pick-1"]);
    await page.getByLabel(/^Select pick-1/).check();
    await page.getByLabel(/^Select pick-3/).check();
    await page.getByRole("button", { name: "Cancel 2" }).click();
    await page.getByText("2 jobs cancelled.").waitFor();
    await page.goto("/console/jobs?search=pick&status=!cancelled");
    await shows(page, ["pick-2"]);
    expect(problems).toEqual([]);
  });

  it("cancels and retries all jobs that match, with progress", async () => {
    const many = Array.from({ length: 250 }, (_, at) => `bulk-${at}`);
    await submit(started.server, many);
    const { page, problems } = await openJobs("?search=bulk");
    await page.getByText("250 jobs, newest first, live.").waitFor();
    await page.getByLabel("Select the shown jobs").check();
    await page.getByRole("button", { name: "Select all 250 that match" }).click();
    await page.getByText("All 250 jobs that match").waitFor();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("heading", { name: "Cancel 250 jobs?" }).waitFor();
    // Another job arrives before the confirmation: the server refuses, and the dialog has the new number.
    await submit(started.server, ["bulk-late"]);
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("heading", { name: "Cancel 251 jobs?" }).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.getByText("Cancelled: 251 jobs.").waitFor();
    // The result is still there after a reload, because the action is in the URL.
    await page.reload();
    await page.getByText("Cancelled: 251 jobs.").waitFor();
    await page.getByRole("button", { name: "Dismiss" }).click();
    await page.getByLabel("Select the shown jobs").check();
    await page.getByRole("button", { name: "Select all 251 that match" }).click();
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
    await page.getByText("Queued again: 251 jobs.").waitFor();
    await page.goto("/console/jobs?search=bulk&status=queued");
    await page.getByText("251 jobs, newest first, live.").waitFor();
    expect(problems).toEqual([]);
  });

  it("works with the keyboard alone", async () => {
    await submit(started.server, ["key-1", "key-2", "key-3"]);
    const { page, problems } = await openJobs("?search=key-");
    await shows(page, ["key-3", "key-2", "key-1"]);
    const focused = () => page.evaluate(() => document.activeElement?.closest("[data-row] a")?.textContent ?? "");
    await page.keyboard.press("j");
    await expect.poll(focused).toContain("key-3");
    await page.keyboard.press("j");
    await expect.poll(focused).toContain("key-2");
    await page.keyboard.press("x");
    await page.getByText("1 selected").waitFor();
    await page.keyboard.press("ArrowDown");
    await expect.poll(focused).toContain("key-1");
    await page.keyboard.press("x");
    await page.getByText("2 selected").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("region", { name: "Selected jobs" }).waitFor({ state: "detached" });
    await page.keyboard.press("?");
    await page.getByText("next and previous job").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("/");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("job-search");
    await page.keyboard.press("Tab");
    await page.keyboard.press("k");
    await expect.poll(focused).toContain("key-3");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "key-3" }).waitFor();
    expect(problems).toEqual([]);
  });
});
