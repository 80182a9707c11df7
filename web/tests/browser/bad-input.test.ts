/** What people do by mistake, or at the same time: each says what happened and what to do. */
import { describe, expect, it } from "vitest";
import { signIn } from "./browser";
import { ADMIN } from "./server";
import { setUp } from "./set-up";

const started = setUp({ TRAINYARD__API__MAX_DATASET_BYTES: "30000000" });

describe("bad input", () => {
  it("refuses 40 MB before they are sent, where the server takes less", async () => {
    const { page, problems } = await started.signedIn("/console/datasets");
    let sent = 0;
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().includes("/datasets")) sent += 1;
    });
    // Dropped, not chosen.
    await page.getByRole("region", { name: "Drop zone" }).evaluate((zone) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["a,b\n", "1,2\n".repeat(10_000_000)], "large.csv", { type: "text/csv" }));
      zone.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    });
    await page.getByText("The file has 40 MB, and at most 30 MB are possible. Remove rows or columns").waitFor();
    expect(sent).toBe(0);
    expect(problems).toEqual([]);
  });

  it("shows the profile of the first rows of a large file, and says so", async () => {
    const { page, problems } = await started.signedIn("/console/datasets");
    await page.getByLabel("CSV file").evaluate((input: HTMLInputElement) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["a,b\n", "1,2\n".repeat(3_000_000)], "large.csv", { type: "text/csv" }));
      input.files = transfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await page.getByText(/This is the profile of the first 2\.0 MB, 499,999 rows of about 3,000,000\./).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    expect(problems).toEqual([]);
  });

  it("says that an image is no table, also when rows are predicted", async () => {
    const image = {
      mimeType: "text/csv",
      buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]),
    };
    await started.server.train({ name: "titanic-rf" });
    const { page, problems } = await started.signedIn("/console/datasets");
    await page.getByLabel("CSV file").setInputFiles({ name: "photo.csv", ...image });
    await page.getByText("This is not a text file. Export the table as CSV").waitFor();
    await page.goto("/console/predict");
    await page.getByLabel("CSV with rows to predict").setInputFiles({ name: "photo.csv", ...image });
    await page.getByText("This is not a text file. Export the table as CSV").waitFor();
    expect(problems).toEqual([]);
  });

  it("says that a model was deleted while its page was open", async () => {
    await started.server.train({ name: "short-lived" });
    const { page, problems } = await started.signedIn("/console/models/short-lived");
    await page.getByRole("heading", { name: "Versions side by side" }).waitFor();
    await started.server.call("DELETE", "/models/short-lived?force=true");
    await page.getByRole("heading", { name: "This does not exist" }).waitFor();
    await page.getByRole("link", { name: "Models" }).first().click();
    await page.getByRole("heading", { name: "Models", exact: true }).waitFor();
    expect(await page.getByText("short-lived").count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it("says that a job does not exist", async () => {
    const { page, problems } = await started.signedIn();
    for (const id of ["0193aaaa-0000-7000-8000-000000000000", "not-an-id"]) {
      await page.goto(`/console/jobs/${id}`);
      await page.getByRole("alert").waitFor();
      await page.getByRole("navigation", { name: "Pages" }).waitFor();
    }
    expect(problems).toEqual([]);
  });

  it("leads to the sign-in, and back, when a token was tampered with", async () => {
    const { context, page, problems } = await started.signedIn("/console/operate/users");
    await page.getByText(ADMIN.email).first().waitFor();
    // The access token of each request is changed, and so is the cookie that could replace it.
    await context.route("**/admin/users*", async (route) => {
      const authorization = `${route.request().headers().authorization?.slice(0, -3)}AAA`;
      await route.continue({ headers: { ...route.request().headers(), authorization } });
    });
    const [cookie] = (await context.cookies()).filter(({ name }) => name === "trainyard_session");
    if (cookie) await context.addCookies([{ ...cookie, value: `${cookie.value.slice(0, -3)}AAA` }]);
    await page.reload();
    await page.getByRole("heading", { name: "Sign in to Trainyard" }).waitFor();
    await context.unrouteAll();
    await signIn(page, ADMIN);
    await page.getByRole("heading", { name: "Users" }).waitFor();
    expect(problems).toEqual([]);
  });

  it("shows two people who promote at once the same result", async () => {
    for (const seed of [1, 2, 3]) await started.server.train({ name: "shared", seed });
    const [one, other] = [
      await started.signedIn("/console/models/shared"),
      await started.signedIn("/console/models/shared"),
    ];
    for (const { page } of [one, other]) await page.getByRole("button", { name: "Promote version 3" }).waitFor();
    await one.page.getByRole("button", { name: "Promote version 2" }).click();
    await other.page.getByRole("button", { name: "Promote version 3" }).click();
    await Promise.all(
      [one, other].map(({ page }) => page.getByRole("dialog").getByRole("button", { name: "Promote" }).click()),
    );
    await one.page.getByText("production of shared is now version 2").waitFor();
    await other.page.getByText("production of shared is now version 3").waitFor();
    const { aliases } = await started.server.call<{ aliases: { production: number } }>("GET", "/models/shared");
    for (const { page, problems } of [one, other]) {
      await page.getByText(`production v${aliases.production}`).first().waitFor();
      expect(problems).toEqual([]);
    }
    // The one whose promotion was replaced within moments is told so.
    const replaced = aliases.production === 3 ? one.page : other.page;
    await replaced.getByText(`Version ${aliases.production} of shared is in production now.`).waitFor();
  });
});
