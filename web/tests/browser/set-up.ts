/** What every file of browser tests begins and ends with. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { closeContexts, keepPicture, launch, openPages } from "./browser";
import { Server } from "./server";

export interface SetUp {
  server: Server;
  browser: Browser;
}

/** Starts a server and a browser for the file; `prepare` fills the server. */
export function setUp(settings: Record<string, string> = {}, prepare?: (server: Server) => Promise<void>): SetUp {
  const started = {} as SetUp;
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
