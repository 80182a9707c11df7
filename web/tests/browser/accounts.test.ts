/** Sign-up, sign-in, sign-out, roles, and sessions in several tabs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { open, signIn } from "./browser";
import { ADMIN, Server } from "./server";
import { setUp } from "./set-up";

const started = setUp();

describe("accounts", () => {
  it("signs up, survives a reload, and signs out", async () => {
    const { context, page, problems } = await open(started.browser, started.server.url);
    await page.goto("/");
    await page.getByRole("link", { name: "Sign up" }).click();
    await page.getByLabel("E-mail").fill("not an address");
    await page.getByLabel("Password").fill("short");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByText("Enter an e-mail address").waitFor();
    await page.getByText("The password needs 8 to 72 bytes; it has 5.").waitFor();
    await page.getByLabel("E-mail").fill("ada@example.com");
    await page.getByLabel("Password").fill("long enough");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByText("Your account is ready.").waitFor();
    await page.getByRole("heading", { name: "Models", exact: true }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "No models yet" }).waitFor();
    // No script can read the token that renews the session.
    expect(
      await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })),
    ).not.toMatch(/trainyard_session|eyJ/);
    const cookie = (await context.cookies()).find(({ name }) => name === "trainyard_session");
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to Trainyard" }).waitFor();
    expect(await context.cookies()).toEqual([]);
    await page.goto("/console/models");
    await page.getByRole("heading", { name: "Sign in to Trainyard" }).waitFor();
    expect(problems).toEqual([]);
  });

  it("says that a password is wrong, and that an address is taken", async () => {
    await started.server.user("taken@example.com");
    const { page } = await open(started.browser, started.server.url);
    await page.goto("/console/sign-in");
    await page.getByLabel("E-mail").fill("taken@example.com");
    await page.getByLabel("Password").fill("not that one");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page
      .getByRole("alert")
      .getByText(/wrong|not valid|incorrect|match/i)
      .waitFor();
    await page.getByRole("link", { name: "Sign up" }).click();
    await page.getByLabel("E-mail").fill("taken@example.com");
    await page.getByLabel("Password").fill("long enough");
    await page.getByRole("button", { name: "Create account" }).click();
    await page
      .getByText(/taken|already/i)
      .first()
      .waitFor();
  });

  it("leads back to the page that needed the sign-in, with its filters", async () => {
    const { page } = await open(started.browser, started.server.url);
    await page.goto("/console/jobs?status=failed&name=titanic-rf");
    await signIn(page, ADMIN);
    await page.getByRole("heading", { name: "Jobs", exact: true }).waitFor();
    const url = new URL(page.url());
    expect([url.pathname, url.searchParams.get("status"), url.searchParams.get("name")]).toEqual([
      "/console/jobs",
      "failed",
      "titanic-rf",
    ]);
  });

  it("never leads to another site after the sign-in", async () => {
    const { page } = await open(started.browser, started.server.url);
    await page.goto("/console/sign-in?next=//evil.example.com/x");
    await signIn(page, ADMIN);
    expect(new URL(page.url()).origin).toBe(started.server.url);
  });

  it("shows a user only what the role allows, also for addresses typed by hand", async () => {
    const user = await started.server.user("grace@example.com");
    const { page } = await open(started.browser, started.server.url);
    await signIn(page, user);
    const links = await page.getByRole("navigation", { name: "Pages" }).getByRole("link").allTextContents();
    expect(links).toEqual(["Models", "Predict"]);
    for (const path of [
      "/console/train",
      "/console/jobs",
      "/console/datasets",
      "/console/operate",
      "/console/operate/users",
    ]) {
      await page.goto(path);
      await page.getByRole("heading", { name: "Your account may not open this page" }).waitFor();
      await page.getByRole("navigation", { name: "Pages" }).waitFor();
    }
  });

  it("keeps the theme that a person has chosen", async () => {
    const user = await started.server.user("edith@example.com");
    const { page, problems } = await started.signedIn("/console/account", user);
    const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
    expect(await scheme()).toBe("light dark");
    await page.getByRole("button", { name: "dark", exact: true }).click();
    expect(await scheme()).toBe("dark");
    await page.reload();
    await page.getByRole("button", { name: "dark", exact: true, pressed: true }).waitFor();
    expect(await scheme()).toBe("dark");
    await page.getByRole("button", { name: "as the system" }).click();
    expect(await scheme()).toBe("light dark");
    expect(problems).toEqual([]);
  });

  it("leads to the sign-in after a change of the role, and shows the pages of the new role", async () => {
    const user = await started.server.user("radia@example.com");
    const { page } = await started.signedIn("/console/models", user);
    const accounts = await started.server.call<{ items: { id: string; email: string }[] }>("GET", "/admin/users");
    const id = accounts.items.find(({ email }) => email === user.email)?.id;
    await started.server.call("PATCH", `/admin/users/${id}`, { role: "admin" });
    await page.reload();
    await page.getByLabel("E-mail").fill(user.email);
    await page.getByLabel("Password").fill(user.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "Train", exact: true }).click();
    await page.getByRole("button", { name: "Start training" }).waitFor();
  });

  it("changes a password", async () => {
    const user = await started.server.user("hedy@example.com");
    const { page } = await started.signedIn("/console/account", user);
    await page.getByLabel("Current password").fill(user.password);
    await page.getByLabel("New password", { exact: true }).fill("another one");
    await page.getByLabel("New password again").fill("another one");
    await page.getByRole("button", { name: "Change the password" }).click();
    await page.getByText("The password is changed.").waitFor();
  });
});

describe("API keys", () => {
  it("shows a new key once, lists its beginning, and deletes it", async () => {
    const user = await started.server.user("karen@example.com");
    const { page, problems } = await started.signedIn("/console/account", user);
    await page.getByText("No keys yet.").waitFor();
    await page.getByRole("button", { name: "Create a key" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("shop backend");
    // A user can't choose a higher role.
    expect(await dialog.getByLabel("Role").count()).toBe(0);
    await dialog.getByRole("button", { name: "Create" }).click();
    const key = (await page.getByTestId("api-key").textContent()) ?? "";
    expect(key).toMatch(/^ty_[A-Za-z0-9]{40}$/);
    const me = () => fetch(`${started.server.url}/me`, { headers: { authorization: `Bearer ${key}` } });
    expect((await me()).status).toBe(200);
    await page.getByRole("button", { name: "I have copied it" }).click();
    await page.getByText(`${key.slice(0, 7)}…`).waitFor();
    expect(await page.content()).not.toContain(key);
    await page.getByRole("button", { name: "Delete shop backend" }).click();
    await page.getByRole("button", { name: "Delete for good" }).click();
    await page.getByText("No keys yet.").waitFor();
    await expect.poll(async () => (await me()).status, { timeout: 5_000 }).toBe(401);
    expect(problems).toEqual([]);
  });
});

describe("sessions in several tabs", () => {
  let busy: Server;

  beforeAll(async () => {
    // Every request then needs a new access token.
    busy = await Server.start({ TRAINYARD__API__ACCESS_TOKEN_TTL_S: "2" });
  });

  afterAll(() => busy?.stop());

  it("renews expired sessions in two tabs without a sign-out, and signs out both", async () => {
    const { context, page: one, problems } = await open(started.browser, busy.url);
    await signIn(one, ADMIN);
    const other = await context.newPage();
    await Promise.all([one.goto("/console/operate/queue"), other.goto("/console/operate/queue")]);
    let renewals = 0;
    let refused = 0;
    context.on("response", (response) => {
      if (!response.url().endsWith("/refresh")) return;
      if (response.ok()) renewals += 1;
      else refused += 1;
    });
    for (let round = 0; round < 3; round++) {
      await Promise.all([one.reload(), other.reload()]);
      await Promise.all([one, other].map((tab) => tab.getByText("Heartbeat").waitFor()));
    }
    expect(renewals).toBeGreaterThan(3);
    expect(refused).toBe(0);
    await one.getByRole("button", { name: "Sign out" }).click();
    for (const tab of [one, other]) await tab.getByRole("heading", { name: "Sign in to Trainyard" }).waitFor();
    expect(problems).toEqual([]);
  });

  it("leads to the sign-in when the session has ended on the server, and back", async () => {
    const { context, page } = await open(started.browser, busy.url);
    await signIn(page, ADMIN);
    await page.goto("/console/operate");
    await page.getByText("Heartbeat").waitFor();
    const ended = page.getByText("Your session has ended.");
    // The response of a running renewal sets the cookie again.
    const isEnded = async () => {
      await context.clearCookies();
      return ended.isVisible();
    };
    await expect.poll(isEnded, { timeout: 15_000 }).toBe(true);
    await signIn(page, ADMIN);
    await page.getByRole("heading", { name: "Queue", exact: true }).waitFor();
  });
});
