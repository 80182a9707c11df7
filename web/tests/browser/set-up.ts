/** What every file of browser tests begins and ends with. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { closeContexts, keepPicture, launch, open, openPages, signIn, type Watched } from "./browser";
import { ADMIN, Server } from "./server";

/** The server and the browser of a file. */
export class SetUp {
  server!: Server;
  browser!: Browser;

  /** A new browser profile, signed in, at a path of the console. */
  async signedIn(path?: string, account: { email: string; password: string } = ADMIN): Promise<Watched> {
    const watched = await open(this.browser, this.server.url);
    await signIn(watched.page, account);
    if (path) await watched.page.goto(path);
    return watched;
  }
}

/** Starts a server and a browser for the file; `prepare` fills the server. */
export function setUp(settings: Record<string, string> = {}, prepare?: (server: Server) => Promise<void>): SetUp {
  const started = new SetUp();
  beforeAll(async () => {
    [started.server, started.browser] = await Promise.all([Server.start(settings), launch()]);
    await prepare?.(started.server);
  }, 120_000);
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") {
      for (const page of openPages()) await keepPicture(page, task.name);
    }
    await closeContexts();
  });
  afterAll(async () => {
    await started.browser?.close();
    await started.server?.stop();
  });
  return started;
}
