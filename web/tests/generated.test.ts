import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

it("the types of the API match docs/openapi.json", () => {
  const script = new URL("../scripts/generate-api.mjs", import.meta.url).pathname;
  expect(() => execFileSync("node", [script, "--check"], { stdio: "pipe" })).not.toThrow();
}, 30_000);
