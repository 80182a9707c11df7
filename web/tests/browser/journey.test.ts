/** What people come for: upload, train, watch, promote, predict, delete; and an outage under an open page. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectAccessible, open, screenshot, signIn } from "./browser";
import { ADMIN, Server } from "./server";
import { setUp } from "./set-up";

const started = setUp();

describe("journey", () => {
  it("trains on titanic, watches, promotes, predicts and deletes", async () => {
    const { context, page, problems } = await started.signedIn();
    await page.getByRole("heading", { name: "No jobs yet" }).waitFor();
    await page.getByRole("link", { name: "Train a model" }).first().click();

    // The server's own errors appear at their fields.
    await page.getByLabel("Name of the model").fill("Titanic");
    await page.getByLabel("n_trees").fill("0");
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText("1 to 64 characters").waitFor();
    await page.getByText("must be a whole number from 1 to 2,000").waitFor();
    await page.getByLabel("Name of the model").fill("titanic-rf");
    await page.getByLabel("n_trees").fill("40");
    expect(await page.getByLabel("Target", { exact: true }).inputValue()).toBe("survived");
    for (const feature of ["sibsp", "parch"]) await page.getByLabel(new RegExp(`^${feature}`)).uncheck();
    await page.getByRole("button", { name: "Start training" }).click();

    await page.getByText("The training of titanic-rf is queued.").waitFor();
    await page.getByRole("link", { name: "Open version 1" }).waitFor({ timeout: 30_000 });
    await page.getByRole("tab", { name: "Log" }).click();
    await page.getByText(/training on 1047 rows/).waitFor();
    await page.keyboard.press("ArrowRight");
    await page.getByRole("img", { name: /Out-of-bag accuracy/ }).waitFor();

    // A second version by cloning; the first one stays in production.
    await page.getByRole("link", { name: "Clone" }).click();
    expect(await page.getByLabel("n_trees").inputValue()).toBe("40");
    await page.getByLabel("Seed").fill("7");
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByRole("link", { name: "Open version 2" }).click({ timeout: 30_000 });
    await page.getByText("production v1").first().waitFor();
    await page.getByRole("button", { name: "Promote version 2" }).click();
    await page.getByText("v2 replaces v1 within moments").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Promote" }).click();
    await page.getByText("production of titanic-rf is now version 2.").waitFor();
    await page.getByRole("button", { name: "Roll back to version 1" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await page.getByText("production of titanic-rf is now version 1.").waitFor();
    await page
      .getByRole("region", { name: "Versions", exact: true })
      .getByText("by admin@example.com")
      .first()
      .waitFor();

    await page.getByRole("link", { name: "Predict", exact: true }).last().click();
    await page.getByLabel("sex").selectOption("female");
    await page.getByLabel("age", { exact: true }).fill("young");
    await page.getByRole("button", { name: "Predict survived" }).click();
    await page.getByText("“young” is not a number").waitFor();
    await page.getByLabel("age", { exact: true }).fill("29");
    await page.getByRole("button", { name: "Predict survived" }).click();
    await page.getByTestId("prediction").waitFor();
    expect(await page.getByTestId("prediction").textContent()).toBe("true");
    await page.getByText(/probability of survived = 1/).waitFor();
    await page.getByText(/'pclass' is missing/).waitFor();
    await page.getByRole("list", { name: "Contributions" }).getByText("sex", { exact: true }).waitFor();
    await screenshot(page, "prediction");
    await expectAccessible(page);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy as curl" }).click();
    await page.getByText("Copied.").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(
      `curl '${started.server.url}/inference'`,
    );

    const rows = (name: string, text: string) =>
      page
        .getByLabel("CSV with rows to predict")
        .setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
    await rows("bad.csv", "age,sex\nold,male\n");
    await page.getByText("Row 1, column age: “old” is not a number.").waitFor();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      rows("people.csv", "who,sex,age\nAda,female,29\nBob,male,40\n"),
    ]);
    expect(file.suggestedFilename()).toBe("people-predictions.csv");
    const lines = readFileSync(await file.path(), "utf8")
      .trim()
      .split("\r\n");
    expect(lines[0]).toBe("who,sex,age,predicted_survived,probability");
    expect(lines.slice(1).map((line) => line.split(",")[3])).toEqual(["true", "false"]);

    // The predictions of this test, and enough others for an index.
    const instances = Array.from({ length: 500 }, (_, at) => ({ sex: "male", age: 60 + (at % 20), pclass: 3 }));
    await started.server.call("POST", "/inference", { model: "titanic-rf", instances });
    await page.goto("/console/models/titanic-rf");
    const drift = page.getByRole("region", { name: "Drift" });
    await drift.getByText(/50\d rows of version 1/).waitFor();
    await drift
      .getByText(/^PSI \d.*, major change$/)
      .first()
      .waitFor();
    await drift.getByRole("table", { name: "Shares of Predictions of survived" }).waitFor();
    await screenshot(page, "drift");
    await expectAccessible(page);

    await page.getByRole("button", { name: "Delete the model" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("2 versions: v2, v1").waitFor();
    await dialog.getByText("production", { exact: true }).waitFor();
    await expectAccessible(page);
    await screenshot(page, "delete");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Delete the model" }).click();
    await dialog.getByLabel("Type titanic-rf to confirm").fill("titanic-rf");
    await dialog.getByRole("button", { name: "Delete for good" }).click();
    await page.getByText("Deleted the model titanic-rf.").waitFor();
    await page.getByRole("heading", { name: "No models yet" }).waitFor();
    await page.goto("/console/models/titanic-rf");
    await page.getByRole("heading", { name: "This does not exist" }).waitFor();
    expect(problems).toEqual([]);
  });

  it("uploads a CSV, refuses an image, and shows why a broken file is refused", async () => {
    const { page, problems } = await started.signedIn("/console/datasets");
    const choose = (name: string, buffer: Buffer) =>
      page.getByLabel("CSV file").setInputFiles({ name, mimeType: "text/csv", buffer });
    await choose("photo.csv", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13]));
    await page.getByText("This is not a text file.").waitFor();
    await choose("Broken table.csv", Buffer.from("a,b\n1,2\n3,4,5\n"));
    await page
      .getByRole("alert")
      .getByText(/row|line/)
      .waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    const rows = Array.from({ length: 40 }, (_, at) => `${at},${at % 2},0${1000 + at}`);
    await choose("Small Table.csv", Buffer.from(`a,b,zip\n${rows.join("\n")}\n`));
    expect(await page.getByLabel("Name of the dataset").inputValue()).toBe("small-table");
    // Nothing is stored before the upload; a type can be overruled.
    await page.getByText("40 rows, 3 columns. Nothing is stored yet.").waitFor();
    expect(await started.server.call<{ items: unknown[] }>("GET", "/datasets")).toMatchObject({
      items: [{ name: "titanic" }],
    });
    await page.getByLabel("Type of b").selectOption("category");
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
    await page.getByRole("button", { name: "Upload", exact: true }).click();
    await page.getByText("small-table v1 has 40 rows.").waitFor();
    await page.getByRole("heading", { name: "First 40 rows" }).waitFor();
    const stored = await started.server.call<{ columns: { name: string; dtype: string }[] }>(
      "GET",
      "/datasets/small-table",
    );
    expect(stored.columns.find(({ name }) => name === "b")?.dtype).toBe("category");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await page.getByText("Deleted the dataset small-table.").waitFor();
    expect(problems).toEqual([]);
  });

  it("cancels and retries jobs, and pauses the queue", async () => {
    const { page, problems } = await started.signedIn("/console/operate");
    await page.getByRole("button", { name: "Pause the queue" }).click();
    await page.getByText("The queue is paused: running jobs continue").waitFor();
    const { job_id } = await started.server.call<{ job_id: string }>("POST", "/training", {
      name: "waits",
      algorithm: "decision_tree",
      features: ["sex"],
    });
    await page.goto("/console/jobs?status=queued");
    await page.getByRole("button", { name: /Cancel waits/ }).click();
    await page.getByRole("heading", { name: "No job matches these filters" }).waitFor();
    await page.goto(`/console/jobs/${job_id}`);
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByText("waits is queued again.").waitFor();
    await page.goto("/console/operate");
    await page.getByRole("button", { name: "Resume the queue" }).click();
    await page.getByText("The queue is running again.").waitFor();
    await page.goto(`/console/jobs/${job_id}`);
    await page.getByRole("link", { name: "Open version 1" }).waitFor({ timeout: 30_000 });
    expect(problems).toEqual([]);
  });

  it("reports an outage, keeps the page, and recovers by itself", async () => {
    const own = await Server.start();
    const { page } = await open(started.browser, own.url);
    await signIn(page, ADMIN);
    await page.goto("/console/operate");
    await page.getByText("Heartbeat").waitFor();
    await own.kill();
    await page.getByText("Trainyard does not answer. What you see may be old").waitFor();
    await page.getByText("Heartbeat").waitFor();
    await own.resume();
    await page.getByText("Trainyard does not answer. What you see may be old").waitFor({ state: "detached" });
    await own.call("POST", "/queue/pause");
    await page.getByText("The queue is paused: running jobs continue").waitFor();
    await own.stop();
  });
});
