import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const ACCOUNT = { id: "1", email: "ada@example.com", role: "user", created_at: "2026-03-01T12:00:00Z", may_read: [] };
let refreshes = 0;
let valid = true;
let oneTime = false;

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": status < 400 ? "application/json" : "application/problem+json" },
  });

function server(path: string): Response {
  if (path === "/me") return json(ACCOUNT);
  if (path === "/health") return json({ status: "ok" });
  if (path === "/logout") return new Response(null, { status: 204 });
  if (path !== "/refresh" && !path.startsWith("/login")) return json({ detail: "no route" }, 404);
  if (!valid) return json({ detail: "sign in again", code: "invalid_credentials" }, 401);
  refreshes += 1;
  const must = oneTime ? { must_change_password: true } : {};
  return json({ access_token: `token-${refreshes}`, expires_in: 3600, user: ACCOUNT, ...must });
}

/** A tab has its own modules, and shares storage and channel with the others. */
async function openTab() {
  vi.resetModules();
  return import("./session");
}

beforeEach(() => {
  refreshes = 0;
  valid = true;
  oneTime = false;
  const stored = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  });
  vi.stubGlobal("fetch", async (input: string) => server(input));
});

afterEach(() => vi.unstubAllGlobals());

describe("session", () => {
  it("continues after a reload, with one refresh for all requests that wait", async () => {
    const tab = await openTab();
    await tab.session.start();
    expect(tab.session.get()).toMatchObject({ status: "signed-in", account: { email: "ada@example.com" } });
    const tokens = await Promise.all([1, 2, 3].map(() => tab.replaceToken("token-1")));
    expect(tokens).toEqual(["token-2", "token-2", "token-2"]);
    expect(refreshes).toBe(2);
  });

  it("is anonymous without a cookie, and expired after a lost session", async () => {
    valid = false;
    const tab = await openTab();
    await tab.session.start();
    expect(tab.session.get()).toEqual({ status: "anonymous", expired: false });
    valid = true;
    await tab.session.signIn("ada@example.com", "long enough");
    valid = false;
    expect(await tab.replaceToken("token-1")).toBeNull();
    expect(tab.session.get()).toEqual({ status: "anonymous", expired: true });
  });

  it("lets tabs refresh one after the other, and shares the new token", async () => {
    const one = await openTab();
    const other = await openTab();
    await Promise.all([one.session.start(), other.session.start()]);
    await vi.waitFor(async () => expect(await one.accessToken()).toBe(await other.accessToken()));
    expect(refreshes).toBeLessThanOrEqual(2);
  });

  it("signs out every tab", async () => {
    const one = await openTab();
    const other = await openTab();
    await one.session.start();
    await other.session.start();
    await one.session.signOut();
    expect(one.session.get()).toEqual({ status: "anonymous", expired: false });
    await vi.waitFor(() => expect(other.session.get().status).toBe("anonymous"));
  });

  it("continues by itself after a start without a server", async () => {
    vi.useFakeTimers();
    const working = globalThis.fetch;
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("network");
    });
    const tab = await openTab();
    // The lock of the storage waits, too.
    await Promise.all([tab.session.start(), vi.advanceTimersByTimeAsync(200)]);
    expect(tab.session.get().status).toBe("anonymous");
    vi.stubGlobal("fetch", working);
    await vi.advanceTimersByTimeAsync(5_000);
    vi.useRealTimers();
    await vi.waitFor(() => expect(tab.session.get().status).toBe("signed-in"));
  });

  it("follows a changed role", async () => {
    const one = await openTab();
    const other = await openTab();
    await one.session.start();
    const working = globalThis.fetch as (input: string) => Promise<Response>;
    vi.stubGlobal("fetch", async (input: string) =>
      input === "/me" ? json({ ...ACCOUNT, role: "admin" }) : working(input),
    );
    await one.session.readAccount();
    for (const tab of [one, other]) {
      await vi.waitFor(() => expect(tab.session.get()).toMatchObject({ account: { role: "admin" } }));
    }
  });

  it("asks for a new password in every tab, until it is set in one of them", async () => {
    oneTime = true;
    const one = await openTab();
    const other = await openTab();
    await one.session.start();
    await vi.waitFor(() => expect(other.session.get()).toMatchObject({ mustChangePassword: true }));
    one.session.passwordChanged();
    await vi.waitFor(() => expect(other.session.get()).toMatchObject({ mustChangePassword: false }));
  });

  it("keeps the session while the server can't reach its database", async () => {
    const tab = await openTab();
    await tab.session.start();
    const working = globalThis.fetch;
    vi.stubGlobal("fetch", async () => json({ detail: "the database does not answer" }, 503));
    await expect(tab.replaceToken("token-1")).rejects.toThrow("the database does not answer");
    expect(tab.session.get().status).toBe("signed-in");
    // A new tab waits as well.
    vi.useFakeTimers();
    const later = await openTab();
    await Promise.all([later.session.start(), vi.advanceTimersByTimeAsync(200)]);
    vi.stubGlobal("fetch", working);
    await vi.advanceTimersByTimeAsync(5_000);
    vi.useRealTimers();
    await vi.waitFor(() => expect(later.session.get().status).toBe("signed-in"));
  });

  it("keeps the session while the server does not answer", async () => {
    const tab = await openTab();
    await tab.session.start();
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("network");
    });
    await expect(tab.replaceToken("token-1")).rejects.toThrow("does not answer");
    expect(tab.session.get().status).toBe("signed-in");
  });
});
