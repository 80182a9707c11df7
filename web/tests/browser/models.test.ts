/** Aliases, promotions by a condition, and jobs that are submitted again. */
import { describe, expect, it } from "vitest";
import { expectAccessible } from "./browser";
import { setUp } from "./set-up";

const started = setUp();

describe("models", () => {
  it("have aliases, which are moved, rolled back and removed", async () => {
    for (const seed of [1, 2]) await started.server.train({ name: "named", seed });
    const { page, problems } = await started.signedIn("/console/models/named");
    const aliases = page.getByRole("region", { name: "Aliases", exact: true });
    const dialog = page.getByRole("dialog");
    await aliases.getByText("An alias is a name for a version").waitFor();
    await aliases.getByRole("button", { name: "Add an alias" }).click();
    await dialog.getByLabel("Alias").fill("production");
    await dialog.getByRole("button", { name: "Add" }).click();
    await dialog.getByText("promote a version instead").waitFor();
    await dialog.getByLabel("Alias").fill("candidate");
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Add" }).click();
    await page.getByText("The alias candidate of named is version 2.").waitFor();
    await aliases.getByRole("button", { name: "Move the alias candidate", exact: true }).click();
    await dialog.getByLabel("Version").selectOption("1");
    await dialog.getByRole("button", { name: "Move" }).click();
    await page.getByText("The alias candidate of named is version 1.").waitFor();
    await page.getByLabel("Alias", { exact: true }).selectOption("candidate");
    await page.getByRole("button", { name: "Roll back candidate" }).click();
    await dialog.getByText("The alias candidate returns from v1").waitFor();
    await dialog.getByRole("button", { name: "Roll back" }).click();
    await page.getByText("candidate of named is version 2 again.").waitFor();
    await aliases.getByRole("button", { name: "Remove the alias candidate" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByText("The alias candidate of named is removed.").waitFor();
    expect(await started.server.call("GET", "/models/named")).toMatchObject({ aliases: { production: 1 } });
    expect(problems).toEqual([]);
  });

  it("are promoted by a condition of their training, which a clone keeps", async () => {
    const { job_id } = await started.server.train({ name: "careful" });
    const { page, problems } = await started.signedIn(`/console/train?clone=${job_id}`);
    await page.getByLabel("Put the new version into production").selectOption("roc_auc");
    await page.getByLabel("Better by at least").fill("-1");
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText("must be a number, 0 or more").waitFor();
    await page.getByLabel("Better by at least").fill("0.5");
    await page.getByLabel("Attempts").fill("1");
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByRole("link", { name: "Open version 2" }).waitFor({ timeout: 30_000 });
    await page.getByText("not promoted", { exact: true }).waitFor();
    await page.getByText("admin@example.com").first().waitFor();
    await page.getByRole("link", { name: "Clone" }).click();
    expect(await page.getByLabel("Put the new version into production").inputValue()).toBe("roc_auc");
    expect(await page.getByLabel("Better by at least").inputValue()).toBe("0.5");
    expect(await page.getByLabel("Attempts").inputValue()).toBe("1");
    const { aliases } = await started.server.call<{ aliases: object }>("GET", "/models/careful");
    expect(aliases).toEqual({ production: 1 });
    expect(problems).toEqual([]);
  });

  it("predict a dataset again, with the same version", async () => {
    await started.server.train({ name: "repeated" });
    const body = { model: "repeated", dataset: "titanic", columns: "none" };
    const { job_id } = await started.server.call<{ job_id: string }>("POST", "/predictions", body);
    const { page, problems } = await started.signedIn(`/console/jobs/${job_id}`);
    await page.getByRole("button", { name: "Download the result" }).waitFor({ timeout: 30_000 });
    await page.getByRole("button", { name: "Clone" }).click();
    const dialog = page.getByRole("dialog");
    const chosen = (label: string) => dialog.getByLabel(label, { exact: true }).inputValue();
    expect(await Promise.all(["Model", "Version", "Dataset", "Columns of the result"].map(chosen))).toEqual([
      "repeated",
      "1",
      "titanic",
      "none",
    ]);
    await dialog.getByRole("button", { name: "Predict", exact: true }).click();
    await page.getByText("The prediction of titanic is queued.").waitFor();
    await page.waitForURL((url) => url.pathname.startsWith("/console/jobs/") && !url.pathname.endsWith(job_id));
    await page.getByRole("button", { name: "Download the result" }).waitFor({ timeout: 30_000 });
    expect(problems).toEqual([]);
  });

  it("are downloaded as card and as ONNX, and predict a file that is uploaded first", async () => {
    await started.server.train({ name: "exported" });
    const { page, problems } = await started.signedIn("/console/models/exported");
    for (const [entry, file] of [
      ["Download the model card", "exported-v1.md"],
      ["Download as ONNX", "exported-v1.onnx"],
    ] as const) {
      await page.getByRole("button", { name: "More about version 1" }).click();
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: entry }).click(),
      ]);
      expect(download.suggestedFilename()).toBe(file);
    }
    await page.getByRole("link", { name: "Predict", exact: true }).last().click();
    await page.getByRole("button", { name: "Predict a dataset" }).click();
    const dialog = page.getByRole("dialog");
    const rows = "sex,age,pclass\nfemale,29,1\nmale,40,3\n";
    await dialog
      .getByLabel("CSV file to upload and predict")
      .setInputFiles({ name: "New Rows.csv", mimeType: "text/csv", buffer: Buffer.from(rows) });
    expect(await dialog.getByLabel("Name of the new dataset").inputValue()).toBe("new-rows");
    await dialog.getByRole("button", { name: "Predict", exact: true }).click();
    await page.getByText("The prediction of new-rows is queued.").waitFor();
    await page.getByRole("button", { name: "Download the result" }).waitFor({ timeout: 30_000 });
    await page.goto("/console/predict?model=exported");
    await page.getByRole("link", { name: "Earlier jobs" }).click();
    await page.getByText("2 rows predicted").waitFor();
    expect(problems).toEqual([]);
  });

  it("without contributions predict all the same, and say so", async () => {
    await started.server.train({ name: "vectors", algorithm: "svm", params: {} });
    const { page, problems } = await started.signedIn("/console/predict?model=vectors");
    // An error appears when the field is left, before anything is sent.
    await page.getByLabel("age", { exact: true }).fill("young");
    await page.getByLabel("age", { exact: true }).blur();
    await page.getByLabel("sex").selectOption("female");
    await page.getByText("“young” is not a number").waitFor();
    await page.getByLabel("age", { exact: true }).fill("NA");
    await page.getByRole("button", { name: "Predict survived" }).click();
    await page.getByTestId("prediction").waitFor();
    await page.getByText("The contributions of the features can't be computed for this model.").waitFor();
    expect(problems).toEqual([]);
  });
});
