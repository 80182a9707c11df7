/** A list of 100,000 jobs scrolls and filters without a frame over 100 ms. */
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { recordFigure } from "../figures";
import { expectStable } from "./browser";
import { setUp } from "./set-up";

const JOBS = 100_000;
/** The most jobs of one request. */
const BULK = 1_000;
const MAX_FRAME_MS = 100;
const TRIES = 3;
/** Pages of 100 jobs that one try scrolls through. */
const PAGES = 30;

const started = setUp(
  {
    TRAINYARD__API__MAX_JOBS_PER_USER: String(2 * JOBS),
    TRAINYARD__API__MAX_JOBS_TOTAL: String(2 * JOBS),
  },
  async (server) => {
    await server.call("POST", "/queue/pause");
    for (let first = 0; first < JOBS; first += BULK) {
      const jobs = Array.from({ length: BULK }, (_, at) => ({
        name: `model-${(first + at) % 500}`,
        algorithm: at % 2 === 0 ? "decision_tree" : "random_forest",
        features: ["sex"],
      }));
      await server.call("POST", "/training/bulk", { jobs });
    }
  },
);

/** The longest frame while `work` runs, of up to three tries: another process on the machine delays one, and hardly all. */
async function longestFrame(page: Page, work: () => Promise<void>): Promise<number> {
  const longest: number[] = [];
  while (longest.length < TRIES && Math.min(...longest) > MAX_FRAME_MS) longest.push(await measure(page, work));
  return Math.min(...longest);
}

async function measure(page: Page, work: () => Promise<void>): Promise<number> {
  await page.evaluate(() => {
    const global = globalThis as unknown as { longest: number; measures: boolean };
    global.longest = 0;
    global.measures = true;
    let last = performance.now();
    const frame = (now: number) => {
      global.longest = Math.max(global.longest, now - last);
      last = now;
      if (global.measures) requestAnimationFrame(frame);
      else frames.disconnect();
    };
    // The own measure of the browser: all script, style and layout of a frame.
    const frames = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) global.longest = Math.max(global.longest, duration);
    });
    frames.observe({ type: "long-animation-frame" });
    requestAnimationFrame(frame);
  });
  await work();
  return page.evaluate(() => {
    const global = globalThis as unknown as { longest: number; measures: boolean };
    global.measures = false;
    return Math.round(global.longest);
  });
}

it("scrolls and filters 100,000 jobs without a frame over 100 ms", async () => {
  const { page, problems } = await started.signedIn();
  await page.getByText("100,000 jobs, newest first, live.").waitFor();
  await page.locator("tr[data-row]").first().waitFor();
  await expectStable(page);

  // From page to page, until the list has read some thousand jobs; then back to its begin.
  const scrolling = await longestFrame(page, async () => {
    for (let at = 0; at < PAGES; at++) {
      const height = await page.evaluate(() => {
        const { scrollHeight } = document.documentElement;
        window.scrollTo({ top: scrollHeight });
        return scrollHeight;
      });
      await page.waitForFunction((before) => document.documentElement.scrollHeight > before, height);
    }
    for (let at = 0; at < 60; at++) await page.mouse.wheel(0, -1500);
    await page.evaluate(() => window.scrollTo({ top: 0 }));
    await page.locator('tr[data-row="0"]').waitFor();
  });
  recordFigure("longest frame while 100,000 jobs scroll", `${MAX_FRAME_MS} ms`, `${scrolling} ms`);
  expect(scrolling).toBeLessThanOrEqual(MAX_FRAME_MS);
  // Only the shown rows exist.
  expect(await page.locator("tr[data-row]").count()).toBeLessThan(100);

  const filtering = await longestFrame(page, async () => {
    const search = page.getByLabel("Search jobs");
    await search.pressSequentially("model-49", { delay: 40 });
    await page.getByText("2,200 jobs, newest first, live.").waitFor();
    await search.fill("algorithm:!random_forest model-7");
    await page.getByRole("button", { name: /Change the filter: Algorithm is not/ }).waitFor();
    await search.fill("");
    await page.getByText("50,000 jobs, newest first, live.").waitFor();
    await page.getByRole("button", { name: /Remove the filter: Algorithm/ }).click();
    await page.getByText("100,000 jobs, newest first, live.").waitFor();
  });
  recordFigure("longest frame while 100,000 jobs are filtered", `${MAX_FRAME_MS} ms`, `${filtering} ms`);
  expect(filtering).toBeLessThanOrEqual(MAX_FRAME_MS);
  expect(problems).toEqual([]);
});
