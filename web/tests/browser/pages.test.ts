/** Every page at desktop and phone width, in both themes: accessible, stable, quick, without violations of the CSP. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { recordFigure } from "../figures";
import {
  DESKTOP,
  expectAccessible,
  expectStable,
  MAX_SHIFT,
  open,
  PHONE,
  screenshot,
  signIn,
  timeToUse,
} from "./browser";
import { type Filled, fill } from "./fill";
import { ADMIN } from "./server";
import { setUp } from "./set-up";

let made: Filled;
const started = setUp({ TRAINYARD__WEBHOOKS__ALLOW_PRIVATE_ADDRESSES: "true" }, async (server) => {
  made = await fill(server);
});

const LOOKS = [
  { width: "desktop", viewport: DESKTOP, themes: ["light", "dark"] },
  { width: "phone", viewport: PHONE, themes: ["dark", "light"] },
] as const;

/** A person may use a page after this time. */
const MAX_MS = 1_000;
const TRIES = 3;

let worstShift = 0;

describe.each(LOOKS)("$width", ({ width, viewport, themes: [first, second] }) => {
  it("every page is accessible, stable and as wide as its window, in both themes", async () => {
    const { page, problems } = await open(started.browser, started.server.url, { theme: first, viewport });
    const check = async (name: string) => {
      await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
      await screenshot(page, `${name}-${width}-${first}`);
      await expectAccessible(page);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, page.url()).toBeLessThanOrEqual(0);
      await page.emulateMedia({ colorScheme: second });
      await expectAccessible(page, ["color-contrast"]);
      await screenshot(page, `${name}-${width}-${second}`);
      await page.emulateMedia({ colorScheme: first });
    };
    const show = async (name: string, path: string, ready: string) => {
      await page.goto(path);
      await page.getByText(ready).locator("visible=true").first().waitFor();
      await check(name);
      worstShift = Math.max(worstShift, await expectStable(page));
    };
    await show("sign-in", "/console/sign-in", "No account yet?");
    await show("sign-up", "/console/sign-up", "Already registered?");
    await page.goto("/console/sign-in");
    await signIn(page, ADMIN);
    for (const [name, path, ready] of pagesOf(made)) await show(name, path, ready);
    await dialogs(page, check);
    recordFigure("layout shift of a page (CLS), at most", String(MAX_SHIFT), worstShift.toFixed(3));
    expect(problems).toEqual([]);
  }, 180_000);
});

type Shown = [name: string, path: string, ready: string];

function pagesOf({ jobs, schedule }: Filled): Shown[] {
  return [
    ["jobs", "/console/jobs", "titanic-lr"],
    ["jobs-filtered", "/console/jobs?status=!succeeded&name=noise,nightly", "Status is not"],
    ["jobs-none", "/console/jobs?search=nothing-like-this", "No job matches"],
    ["job", `/console/jobs/${jobs.done}`, "Confusion matrix"],
    ["job-regression", `/console/jobs/${jobs.regression}`, "Predicted and actual"],
    ["job-search", `/console/jobs/${jobs.search}`, "Trials of the search"],
    ["model-search", "/console/models/titanic-auto", "Trials of v1"],
    ["job-log", `/console/jobs/${jobs.done}?tab=log`, "training on"],
    ["job-metrics", `/console/jobs/${jobs.done}?tab=metrics`, "Out-of-bag accuracy"],
    ["job-failed", `/console/jobs/${jobs.failed}`, "Why the job failed"],
    ["job-spec", `/console/jobs/${jobs.done}?tab=spec`, "dataset_version"],
    ["job-missing", "/console/jobs/00000000-0000-7000-8000-000000000000", "This does not exist"],
    ["models", "/console/models", "titanic-lr"],
    ["model", "/console/models/titanic-rf", "Calibration of v1"],
    ["predict", "/console/predict?model=titanic-rf", "As a program"],
    ["train", "/console/train", "Random forest"],
    ["train-clone", `/console/train?clone=${jobs.done}`, "Train titanic-rf again"],
    ["datasets", "/console/datasets", "sales-2024"],
    ["dataset", "/console/datasets/titanic", "First 50 rows"],
    ["queue", "/console/operate", "The last hour"],
    ["failures", "/console/operate/failures", "The job exceeded its time limit"],
    ["schedules", "/console/operate/schedules", "nightly-sales"],
    ["schedule", `/console/operate/schedules/${schedule}`, "Next times"],
    ["schedule-new", `/console/operate/schedules/new?job=${jobs.done}`, "Create the schedule"],
    ["webhooks", "/console/operate/webhooks", "succeeded"],
    ["users", "/console/operate/users", "grace@example.com"],
    ["audit", "/console/operate/audit", "account.invite"],
    ["audit-filtered", "/console/operate/audit?action=schedule.*", "schedule.create"],
    ["account", "/console/account", "Change the password"],
    ["not-found", "/console/nowhere", "There is no page"],
  ];
}

/** What a page shows only after a click. */
async function dialogs(page: Page, check: (name: string) => Promise<void>): Promise<void> {
  await page.goto("/console/operate/users");
  await page.getByRole("button", { name: "Invite a person" }).click();
  await check("users-invite");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Change grace@example.com" }).click();
  await check("users-menu");
  await page.goto("/console/operate/webhooks");
  await page
    .getByRole("link", { name: /Details of/ })
    .first()
    .click();
  await page.getByText("webhook-id").waitFor();
  await check("webhook");
  await page.goto("/console/jobs");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.getByRole("button", { name: "Status", exact: true }).click();
  await check("jobs-filter");
  await page.keyboard.press("Escape");
  await page
    .getByLabel(/^Select noise/)
    .first()
    .check();
  await page.getByRole("region", { name: "Selected jobs" }).waitFor();
  await check("jobs-selected");
  await page.goto("/console/train");
  await page.getByLabel("Gradient boosting").check();
  await page.getByText("parameters that few jobs change").click();
  await page.getByLabel("subsample").waitFor();
  await check("train-advanced");
  await page.goto("/console/predict?model=titanic-rf");
  await page.getByRole("button", { name: "Predict a dataset" }).click();
  await check("predict-dataset");
  await page.keyboard.press("Escape");
  await page.goto("/console/models/titanic-rf");
  await page.getByRole("button", { name: "More about version 2" }).click();
  await check("model-menu");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Promote version 2" }).click();
  await page.getByLabel("Take it back automatically if it fails or is slow").check();
  await check("model-promote");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Change the traffic" }).click();
  await page.getByLabel("Weight of version 2").fill("10");
  await page.getByLabel("Take it back automatically if it fails or is slow").check();
  await check("model-traffic");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Add an alias" }).click();
  await check("model-alias");
  await page.keyboard.press("Escape");
  await page.goto("/console/datasets");
  const rows = Array.from(
    { length: 200 },
    (_, at) => `0${1000 + at},${at % 17},${["red", "blue"][at % 2]},2024-03-${String((at % 28) + 1).padStart(2, "0")}`,
  );
  await page.getByLabel("CSV file").setInputFiles({
    name: "sales.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(`zip,count,colour,sold\n${rows.join("\n")}\n`),
  });
  await page.getByText("Nothing is stored yet.").waitFor();
  await check("upload");
}

describe("speed", () => {
  it("a page can be used within a second after it was opened in a new tab", async () => {
    const { context, problems } = await started.signedIn();
    const measured: Record<string, number> = {};
    const pages: [path: string, ready: (page: Page) => Promise<unknown>][] = [
      [
        "/console/jobs",
        (tab) =>
          tab
            .getByRole("link", { name: /titanic-lr/ })
            .first()
            .waitFor(),
      ],
      ["/console/models/titanic-rf", (tab) => tab.getByRole("button", { name: "Promote version 2" }).waitFor()],
      ["/console/predict?model=titanic-rf", (tab) => tab.getByRole("button", { name: "Predict survived" }).waitFor()],
      ["/console/train", (tab) => tab.getByRole("button", { name: "Start training" }).waitFor()],
      ["/console/operate/queue", (tab) => tab.getByRole("button", { name: "Pause the queue" }).waitFor()],
    ];
    for (const [path, ready] of pages) {
      const times: number[] = [];
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const tab = await context.newPage();
        times.push(await timeToUse(tab, path, ready));
        await tab.close();
      }
      // Another process on the machine delays one attempt, and hardly all of them.
      measured[path] = Math.round(Math.min(...times));
    }
    const [quickest, slowest] = [Math.min(...Object.values(measured)), Math.max(...Object.values(measured))];
    recordFigure("a page opened in a new tab can be used", "1 s", `${quickest} to ${slowest} ms`);
    for (const [path, time] of Object.entries(measured)) expect(time, path).toBeLessThanOrEqual(MAX_MS);
    expect(problems).toEqual([]);
  });
});
