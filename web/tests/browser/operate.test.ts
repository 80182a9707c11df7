/** What administrators do: accounts, schedules, webhooks, failures, the audit log. */
import { describe, expect, it } from "vitest";
import { expectAccessible, open, signIn } from "./browser";
import { receiver } from "./fill";
import { ADMIN } from "./server";
import { setUp } from "./set-up";

const started = setUp({ TRAINYARD__WEBHOOKS__ALLOW_PRIVATE_ADDRESSES: "true" });

describe("operate", () => {
  it("invites a person, whose one-time password works once", async () => {
    const { page, problems } = await started.signedIn("/console/operate/users");
    await page.getByRole("button", { name: "Invite a person" }).click();
    await page.getByLabel("E-mail").fill("Mary@example.com");
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    await page.getByRole("heading", { name: "mary@example.com is invited" }).waitFor();
    await expectAccessible(page);
    const password = (await page.getByTestId("one-time-password").textContent()) ?? "";
    // A stray key does not lose what is shown only once.
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "I have copied it" }).click();

    const { page: theirs } = await open(started.browser, started.server.url);
    await signIn(theirs, { email: "mary@example.com", password });
    await theirs.getByText("You signed in with a one-time password").waitFor();
    await theirs.goto("/console/models");
    await theirs.getByLabel("Current password").fill(password);
    await theirs.getByLabel("New password", { exact: true }).fill("a word of her own");
    await theirs.getByLabel("New password again").fill("a word of her own");
    await theirs.getByRole("button", { name: "Change the password" }).click();
    await theirs.getByText("The password is changed.").waitFor();

    const menu = page.getByRole("button", { name: "Change mary@example.com" });
    await menu.click();
    await page.getByRole("button", { name: "Make administrator…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Make administrator" }).click();
    await page.getByText("mary@example.com is an administrator now.").waitFor();
    await menu.click();
    await page.getByRole("button", { name: "Disable…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
    await page.getByText("mary@example.com is disabled.").waitFor();
    // Her open page leads to the sign-in at its next request.
    await theirs.goto("/console/models");
    await theirs.getByRole("heading", { name: "Sign in to Trainyard" }).waitFor();
    await menu.click();
    await page.getByRole("button", { name: "Delete…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await page.getByText("mary@example.com is deleted.").waitFor();
    await menu.waitFor({ state: "detached" });
    // Nobody can lock themselves out.
    expect(await page.getByRole("button", { name: `Change ${ADMIN.email}` }).count()).toBe(0);

    await page.goto("/console/operate/audit?action=account.*");
    await page.getByRole("table").getByText("account.delete").waitFor();
    expect(await page.getByRole("table").getByText("session.").count()).toBe(0);
    await page.getByLabel("Action").selectOption("account.invite");
    await page.getByRole("table").getByText("account.delete").waitFor({ state: "detached" });
    expect(new URL(page.url()).searchParams.get("action")).toBe("account.invite");
    await page.getByLabel("Subject").fill("user:nobody");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "No entry matches these filters" }).waitFor();
    expect(problems).toEqual([]);
  });

  it("makes a schedule of a job, runs it now, pauses and deletes it", async () => {
    const { job_id } = await started.server.train({ name: "titanic-rf" });
    const { page, problems } = await started.signedIn(`/console/jobs/${job_id}`);
    await page.getByRole("link", { name: "Schedule", exact: true }).click();
    await page.getByLabel("Cron expression").fill("61 * * * *");
    await page.getByRole("button", { name: "Create the schedule" }).click();
    await page.locator("p.text-bad").first().waitFor();
    await page.getByLabel("Usual times").selectOption({ label: "every night at 02:30" });
    await page.getByLabel("Time zone").selectOption("Europe/Berlin");
    await page.getByRole("button", { name: "Create the schedule" }).click();
    await page.getByText("The schedule titanic-rf is active.").waitFor();
    const times = page.getByRole("region", { name: "Next times" }).getByRole("listitem");
    await expect.poll(() => times.count()).toBe(5);
    await page.getByRole("button", { name: "Change the times" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Cron expression").fill("61 * * * *");
    await dialog.getByRole("button", { name: "Change" }).click();
    await dialog.locator("p.text-bad").first().waitFor();
    await expectAccessible(page);
    await dialog.getByLabel("Usual times").selectOption({ label: "every hour" });
    await dialog.getByRole("button", { name: "Change" }).click();
    await page.getByText("The times of titanic-rf are changed.").waitFor();
    await page.getByText("0 * * * *").waitFor();
    await page.getByRole("button", { name: "Run now: titanic-rf" }).click();
    await page.getByText("a job of titanic-rf is queued").waitFor();
    await page.getByText("submitted", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Pause: titanic-rf" }).click();
    await page.getByText("None while the schedule is paused.").waitFor();
    await page.getByRole("button", { name: "Resume: titanic-rf" }).click();
    await expect.poll(() => times.count()).toBe(5);
    await page.getByRole("button", { name: "Delete: titanic-rf" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await page.getByRole("heading", { name: "No schedules yet" }).waitFor();
    expect(problems).toEqual([]);
  });

  it("shows the deliveries of webhooks, and replays one", async () => {
    const hooks = await receiver();
    const { job_id } = await started.server.train({ name: "hooked", webhook_url: `${hooks.url}/in?secret=1` });
    await hooks.received;
    hooks.close();
    const { page, problems } = await started.signedIn(`/console/operate/webhooks?job=${job_id}`);
    await page.getByText("delivered", { exact: true }).last().waitFor();
    await page.getByRole("link", { name: /Details of training.succeeded/ }).click();
    await page.getByText('"type": "training.succeeded"').waitFor();
    expect(await page.getByRole("dialog").textContent()).not.toContain("secret=1");
    // The receiver is gone: the replay fails, and says why.
    await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
    await page.getByText("The webhook is sent again.").waitFor();
    await page.getByRole("dialog").getByText("pending", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("group", { name: "Status" }).getByRole("button", { name: "failed" }).click();
    await page.getByRole("heading", { name: "No delivery matches these filters" }).waitFor();
    expect(problems).toEqual([]);
  });

  it("groups failed jobs by their error, and retries all of one", async () => {
    const rows = Array.from({ length: 20_000 }, (_, at) => `${Math.imul(at, 2_654_435_761) >>> 8},${at % 2}`);
    await started.server.call("POST", "/datasets?name=noise", `x,y\n${rows.join("\n")}\n`);
    const slow = { dataset: "noise", target: "y", features: ["x"], params: { n_trees: 2000 }, max_attempts: 1 };
    await started.server.train({ name: "slow", ...slow, timeout_s: 1 });
    await started.server.call("POST", "/queue/pause");
    const { page, problems } = await started.signedIn("/console/operate/failures");
    await page.getByText("The job exceeded its time limit").waitFor();
    await page.getByRole("button", { name: "Retry all jobs with timeout" }).click();
    await page.getByRole("heading", { name: "Retry 1 job?" }).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
    await page.getByText("Queued again: 1 job.").waitFor();
    await page.getByRole("heading", { name: "No failed jobs" }).waitFor();
    await started.server.call("POST", "/queue/resume");
    expect(problems).toEqual([]);
  });

  it("shows the last hour of the queue and what each worker runs", async () => {
    const rows = Array.from({ length: 20_000 }, (_, at) => `${Math.imul(at, 2_654_435_761) >>> 8},${at % 2}`);
    await started.server.call("POST", "/datasets?name=noise", `x,y\n${rows.join("\n")}\n`);
    const { job_id } = await started.server.call<{ job_id: string }>("POST", "/training", {
      ...{ name: "long", algorithm: "random_forest", dataset: "noise", target: "y", features: ["x"] },
      params: { n_trees: 2000 },
    });
    const { page, problems } = await started.signedIn("/console/operate");
    await page.getByRole("region", { name: "Workers" }).getByRole("link", { name: "long" }).waitFor();
    await page.getByRole("img", { name: /^Queued in the last hour/ }).waitFor();
    await started.server.call("POST", `/training/${job_id}/cancel`);
    await page.getByRole("region", { name: "Workers" }).getByText("idle").waitFor();
    expect(problems).toEqual([]);
  });
});
