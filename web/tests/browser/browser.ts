/** Chromium, and what every page must hold: no CSP violation, no script error, no accessibility violation. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Layout shift that a person does not notice. */
export const MAX_SHIFT = 0.02;

export async function launch(): Promise<Browser> {
  const executablePath = CHROMIUM.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error("Chromium is not installed; run scripts/ensure web");
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

export interface Watched {
  context: BrowserContext;
  page: Page;
  /** Violations of the Content-Security-Policy and errors of scripts. */
  problems: string[];
}

export const DESKTOP = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };

interface Options {
  theme?: "light" | "dark";
  viewport?: { width: number; height: number };
}

const contexts = new Set<BrowserContext>();

/** The pages of the running test. */
export function openPages(): Page[] {
  return [...contexts].flatMap((context) => context.pages());
}

/** Ends the browser profiles of a test, also of one that failed. */
export async function closeContexts(): Promise<void> {
  const open = [...contexts];
  contexts.clear();
  await Promise.all(open.map((context) => context.close().catch(() => undefined)));
}

/** A new browser profile with one tab. It is closed after the test. */
export async function open(browser: Browser, url: string, options: Options = {}): Promise<Watched> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: options.viewport ?? DESKTOP,
    colorScheme: options.theme ?? "light",
    reducedMotion: "reduce",
  });
  contexts.add(context);
  context.setDefaultTimeout(15_000);
  const problems: string[] = [];
  await context.exposeFunction("reportViolation", (text: string) => problems.push(text));
  await context.addInitScript(() => {
    const global = globalThis as unknown as { reportViolation: (text: string) => void; layoutShift: number };
    document.addEventListener("securitypolicyviolation", (event) =>
      global.reportViolation(`CSP: ${event.violatedDirective} ${event.blockedURI}`),
    );
    global.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as unknown as { value: number; hadRecentInput: boolean }[]) {
        if (!entry.hadRecentInput) global.layoutShift += entry.value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  context.on("weberror", (error) => problems.push(`script: ${error.error().stack ?? error.error()}`));
  return { context, page: await context.newPage(), problems };
}

export async function signIn(page: Page, account: { email: string; password: string }): Promise<void> {
  // Other pages lead to the sign-in by themselves.
  if (page.url() === "about:blank") await page.goto("/console/sign-in");
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Fails if axe finds a violation of these rules, or of any rule, on the page. */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async (rules) => {
    const axe = (globalThis as unknown as { axe: typeof import("axe-core") }).axe;
    const { violations } = await axe.run(rules ? { runOnly: { type: "rule", values: rules } } : {});
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
  }, rules);
  if (violations.length > 0) await keepPicture(page, "inaccessible");
  expect.soft(violations, page.url()).toEqual([]);
}

/** Fails if the page moved while it loaded. Returns its layout shift. */
export async function expectStable(page: Page): Promise<number> {
  const shift = await page.evaluate(() => (globalThis as unknown as { layoutShift: number }).layoutShift);
  expect.soft(shift, `layout shift of ${page.url()}`).toBeLessThanOrEqual(MAX_SHIFT);
  return shift;
}

/** Pictures of the pages at the moment when a test failed. */
const FAILURES = process.env.FAILURES ?? fileURLToPath(new URL("../../../target/browser-failures", import.meta.url));
let pictures = 0;

/** Keeps a picture of what failed, and says where. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  mkdirSync(FAILURES, { recursive: true });
  pictures += 1;
  const path = join(
    FAILURES,
    `${name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .slice(0, 80)}-${pictures}.png`,
  );
  // A page may hang: the picture must not hide why the test failed.
  const done = await page.screenshot({ path, timeout: 5_000 }).catch(() => null);
  if (done) process.stderr.write(`picture of ${page.url()}: ${path}\n`);
}

/**
 * Milliseconds until a page that opens in a new tab can be used: until `ready` is there and the browser has time. By the
 * browser's clock, which begins with the navigation.
 */
export async function timeToUse(page: Page, path: string, ready: (page: Page) => Promise<unknown>): Promise<number> {
  await page.goto(path, { waitUntil: "commit" });
  await ready(page);
  return page.evaluate(() => new Promise((resolve) => requestIdleCallback(() => resolve(performance.now()))));
}

/** Keeps a screenshot in the folder SCREENSHOTS, if it is set. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  const fullPage = (page.viewportSize()?.width ?? 0) > PHONE.width;
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage });
}
