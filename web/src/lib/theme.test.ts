import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { applyTheme, chooseTheme, chosenTheme } from "./theme";

const dataset: Record<string, string> = {};

beforeEach(() => {
  const stored = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  });
  vi.stubGlobal("document", { documentElement: { dataset } });
});
afterEach(() => vi.unstubAllGlobals());

it("keeps the chosen theme, and returns to that of the system", () => {
  applyTheme();
  expect([chosenTheme(), dataset.theme]).toEqual([undefined, undefined]);
  chooseTheme("dark");
  expect([chosenTheme(), dataset.theme]).toEqual(["dark", "dark"]);
  chooseTheme(undefined);
  expect([chosenTheme(), dataset.theme]).toEqual([undefined, undefined]);
});

it("ignores a stored value that is no theme", () => {
  localStorage.setItem("trainyard.theme", "pink");
  expect(chosenTheme()).toBeUndefined();
});
