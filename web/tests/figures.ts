/** The measured figures of the console, as rows for the table in docs/console.md. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FILE = new URL("../../target/console-figures.md", import.meta.url);

/** Keeps a figure in target/console-figures.md. It replaces the figure of an earlier run. */
export function recordFigure(what: string, limit: string, measured: string): void {
  const rows = existsSync(FILE) ? readFileSync(FILE, "utf8").split("\n") : [];
  const others = rows.filter((row) => row && !row.startsWith(`| ${what} |`));
  mkdirSync(fileURLToPath(new URL(".", FILE)), { recursive: true });
  writeFileSync(FILE, [...others, `| ${what} | ${limit} | ${measured} |`, ""].join("\n"));
}
