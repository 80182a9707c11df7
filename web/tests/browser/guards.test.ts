/** Guards of new versions: set, watched, exceeded, ended. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { expectAccessible, screenshot } from "./browser";
import { setUp } from "./set-up";

const started = setUp({}, async (server) => {
  for (const name of ["slow", "calm"]) {
    for (const seed of [1, 2]) await server.train({ name, seed });
  }
});

const guards = (page: Page) => page.getByRole("region", { name: "Guards", exact: true });
const active = (page: Page) => page.getByRole("region", { name: /^Active guard/ });
const earlier = (page: Page) => page.getByRole("region", { name: "Earlier guards" });
const predict = (model: string) =>
  started.server.call("POST", "/inference", { model, features: { sex: "male", age: 40, pclass: 3 } });

describe("guards", () => {
  it("take a promoted version back that is too slow, and say why", async () => {
    const { page, problems } = await started.signedIn("/console/models/slow");
    await guards(page).getByText("No version is watched.").waitFor();
    await page.getByRole("button", { name: "Promote version 2" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("v2 replaces v1 within moments").waitFor();
    await dialog.getByLabel("Take it back automatically if it fails or is slow").check();
    await dialog.getByLabel("Failed predictions, at most (%)").fill("");
    await dialog.getByLabel("Decide from (predictions)").fill("few");
    await dialog.getByRole("button", { name: "Promote" }).click();
    // Nothing is sent while a field is wrong.
    await dialog.getByText("enter a limit here, or for the duration").waitFor();
    await dialog.getByText("must be a whole number from 1 to 1,000,000,000").waitFor();
    await expectAccessible(page);
    await screenshot(page, "guard-form");
    // Every prediction takes longer than a nanosecond.
    await dialog.getByLabel("99 % are answered within (ms)").fill("0.000001");
    await dialog.getByLabel("Decide from (predictions)").fill("5");
    await dialog.getByRole("button", { name: "Promote" }).click();
    await page.getByText("production of slow is now version 2.").waitFor();
    await active(page).getByRole("cell", { name: "v2", exact: true }).waitFor();
    await active(page).getByText("too few predictions").waitFor();
    await screenshot(page, "guard-active");
    const rolledBack = async () => {
      await predict("slow");
      return page.getByText("rolled back by its guard").isVisible();
    };
    await expect.poll(rolledBack, { timeout: 30_000 }).toBe(true);
    await page.getByText("production v1").first().waitFor();
    await earlier(page).getByText("limit exceeded").waitFor();
    await earlier(page)
      .getByText(/took longer than max_p99_ms.*; production returned to v1/)
      .waitFor();
    await active(page).waitFor({ state: "detached" });
    await expectAccessible(page);
    await screenshot(page, "guard-exceeded");
    expect(problems).toEqual([]);
  });

  it("watch the weights of the traffic, and are ended without a change of the weights", async () => {
    const { page, problems } = await started.signedIn("/console/models/calm");
    await page.getByRole("button", { name: "Change the traffic" }).click();
    const dialog = page.getByRole("dialog");
    // Without a weight there is nothing to watch.
    expect(await dialog.getByLabel("Take it back automatically if it fails or is slow").count()).toBe(0);
    await dialog.getByLabel("Weight of version 1").fill("90");
    await dialog.getByLabel("Weight of version 2").fill("10");
    await dialog.getByLabel("Take it back automatically if it fails or is slow").check();
    await dialog.getByLabel("Failed predictions, at most (%)").fill("2");
    await dialog.getByRole("button", { name: "Change", exact: true }).click();
    await page.getByText("The traffic of calm is changed.").waitFor();
    await page.getByText("watched by a guard").waitFor();
    await expectAccessible(page);
    await active(page).getByText("0 (0 %)").waitFor();
    await guards(page).getByRole("button", { name: "End the guard" }).click();
    await dialog.getByText("The weights stay.").waitFor();
    await dialog.getByRole("button", { name: "End" }).click();
    await page.getByText("The guard is ended.").waitFor();
    await earlier(page).getByText("cancelled").waitFor();
    await earlier(page).getByText("the weights of v1 and v2").waitFor();
    const traffic = await started.server.call("GET", "/models/calm/traffic");
    expect(traffic).toMatchObject({ versions: { "1": 90, "2": 10 }, guards: [] });
    expect(problems).toEqual([]);
  });

  it("can be set on the version in production, if there is a version before it", async () => {
    await started.server.call("DELETE", "/models/calm/traffic").catch(() => undefined);
    const { page, problems } = await started.signedIn("/console/models/calm");
    await guards(page).getByText("No version is watched.").waitFor();
    // The first version has nothing to return to.
    expect(await guards(page).getByRole("button", { name: "Set a guard" }).count()).toBe(0);
    await started.server.call("PUT", "/models/calm/aliases/production", { version: 2 });
    await page.getByText("Version 2 of calm is in production now.").waitFor();
    await guards(page).getByRole("button", { name: "Set a guard" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Set the guard" }).click();
    await page.getByText("Version 2 of calm is watched.").waitFor();
    await guards(page).getByRole("button", { name: "End the guard" }).click();
    // The guard takes the version back while the question is open: ending it must not bring the version back.
    await started.server.call("POST", "/models/calm/aliases/production/rollback");
    await page.getByRole("dialog").getByRole("button", { name: "End" }).click();
    await page.getByText("The guard had ended already.").waitFor();
    const { aliases } = await started.server.call<{ aliases: { production: number } }>("GET", "/models/calm");
    expect(aliases.production).toBe(1);
    await earlier(page).getByText("production was rolled back to v1").waitFor();
    expect(problems).toEqual([]);
  });
});
