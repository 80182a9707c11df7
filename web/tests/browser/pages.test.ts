/** Every page at desktop and phone width, in both themes: accessible, stable, without violations of the CSP. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DESKTOP, expectAccessible, expectStable, launch, open, PHONE, screenshot, signIn } from "./browser";
import { ADMIN, Server } from "./server";

let server: Server;
let browser: Browser;
let jobs: { done: string; failed: string };

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  const rows = Array.from(
    { length: 300 },
    (_, at) =>
      `${at % 7},${["north", "south", "east"][at % 3]},${at % 11},${(at % 7) * 12 + (at % 11) * 5 + ((at * 37) % 9)}`,
  );
  await server.call("POST", "/datasets?name=sales-2024", `visits,region,staff,revenue\n${rows.join("\n")}\n`);
  const first = await server.train({ name: "titanic-rf", features: ["sex", "age", "pclass", "fare", "embarked"] });
  await server.train({ name: "titanic-rf", seed: 7, params: { n_trees: 60, max_depth: 6 } });
  await server.train({ name: "titanic-lr", algorithm: "logistic_regression", params: {} });
  await server.train({ name: "revenue", dataset: "sales-2024", target: "revenue", features: ["*"] });
  const many = Array.from({ length: 20_000 }, (_, at) => `${Math.imul(at, 2_654_435_761) >>> 8},${at % 2}`);
  await server.call("POST", "/datasets?name=noise", `x,y\n${many.join("\n")}\n`);
  const noise = { dataset: "noise", target: "y", features: ["x"], params: { n_trees: 2000 } };
  const failed = await server.train({ name: "noise", ...noise, timeout_s: 1, max_attempts: 1 });
  await server.call("POST", "/training", {
    name: "nightly",
    algorithm: "random_forest",
    features: ["*"],
    run_at: "2999-01-01T00:00:00Z",
  });
  jobs = { done: first.job_id, failed: failed.job_id };
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const LOOKS = [
  { width: "desktop", viewport: DESKTOP, themes: ["light", "dark"] },
  { width: "phone", viewport: PHONE, themes: ["dark", "light"] },
] as const;

describe.each(LOOKS)("$width", ({ width, viewport, themes: [first, second] }) => {
  it("every page is accessible, stable and as wide as its window, in both themes", async () => {
    const { context, page, problems } = await open(browser, server.url, { theme: first, viewport });
    const show = async (name: string, path: string, ready: string) => {
      await page.goto(path);
      await page.getByText(ready).first().waitFor();
      await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
      await screenshot(page, `${name}-${width}-${first}`);
      await expectAccessible(page);
      await expectStable(page);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect.soft(overflow, path).toBeLessThanOrEqual(0);
      await page.emulateMedia({ colorScheme: second });
      await expectAccessible(page, ["color-contrast"]);
      await screenshot(page, `${name}-${width}-${second}`);
      await page.emulateMedia({ colorScheme: first });
    };
    await show("sign-in", "/console/sign-in", "No account yet?");
    await show("sign-up", "/console/sign-up", "Already registered?");
    await page.goto("/console/sign-in");
    await signIn(page, ADMIN);
    await show("jobs", "/console/jobs", "titanic-lr");
    await show("jobs-filtered", "/console/jobs?status=cancelled", "No job matches");
    await show("job", `/console/jobs/${jobs.done}`, "Confusion matrix");
    await show("job-log", `/console/jobs/${jobs.done}?tab=log`, "training on");
    await show("job-metrics", `/console/jobs/${jobs.done}?tab=metrics`, "Out-of-bag accuracy");
    await show("job-failed", `/console/jobs/${jobs.failed}`, "Why the job failed");
    await show("job-spec", `/console/jobs/${jobs.done}?tab=spec`, "dataset_version");
    await show("job-missing", "/console/jobs/00000000-0000-7000-8000-000000000000", "This does not exist");
    await show("models", "/console/models", "titanic-lr");
    await show("model", "/console/models/titanic-rf", "Versions side by side");
    await show("predict", "/console/predict?model=titanic-rf", "As a program");
    await show("train", "/console/train", "Random forest");
    await show("train-clone", `/console/train?clone=${jobs.done}`, "Train titanic-rf again");
    await show("datasets", "/console/datasets", "sales-2024");
    await show("dataset", "/console/datasets/titanic", "First 50 rows");
    await show("operate", "/console/operate", "Heartbeat");
    await show("account", "/console/account", "Change the password");
    await show("not-found", "/console/nowhere", "There is no page");
    await context.close();
    expect(problems).toEqual([]);
  });
});
