/** The size of the built console. `make web` builds it. */
import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { recordFigure } from "./figures";

interface Chunk {
  file: string;
  isEntry?: boolean;
  isDynamicEntry?: boolean;
  imports?: string[];
}

const manifest = new URL("../node_modules/.console-manifest.json", import.meta.url);
const dist = new URL("../dist/", import.meta.url);
const KB = 1000;

describe.runIf(existsSync(manifest))("the built console", () => {
  const chunks: Record<string, Chunk> = existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")) : {};
  const all = Object.values(chunks).filter(({ file }) => file.endsWith(".js"));

  /** A chunk and everything that it imports at once. */
  const withImports = (chunk: Chunk, seen = new Set<string>()): Set<string> => {
    seen.add(chunk.file);
    for (const name of chunk.imports ?? []) {
      const imported = chunks[name];
      if (imported && !seen.has(imported.file)) withImports(imported, seen);
    }
    return seen;
  };
  const gzipped = (files: Iterable<string>) =>
    [...files].reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length, 0);

  it("loads at most 150 kB of script before the first page", () => {
    const entries = all.filter(({ isEntry }) => isEntry);
    expect(entries).toHaveLength(1);
    const bytes = gzipped(entries.flatMap((entry) => [...withImports(entry)]));
    recordFigure("script before the first page, gzip", "150 kB", `${Math.round(bytes / KB)} kB`);
    expect(bytes).toBeGreaterThan(50 * KB);
    expect(bytes).toBeLessThanOrEqual(150 * KB);
  });

  it("loads at most 40 kB of script for each page", () => {
    const entry = new Set(all.filter(({ isEntry }) => isEntry).flatMap((chunk) => [...withImports(chunk)]));
    const pages = all.filter(({ isDynamicEntry }) => isDynamicEntry);
    expect(pages.length).toBeGreaterThanOrEqual(9);
    const sizes = pages.map((page) => {
      const own = [...withImports(page)].filter((file) => !entry.has(file));
      return { file: page.file, bytes: gzipped(own) };
    });
    const largest = Math.max(...sizes.map(({ bytes }) => bytes));
    recordFigure("script of a page, gzip, at most", "40 kB", `${(largest / KB).toFixed(1)} kB`);
    for (const { file, bytes } of sizes) expect(bytes, file).toBeLessThanOrEqual(40 * KB);
  });

  it("has no script and no style in the page itself", () => {
    const page = readFileSync(new URL("index.html", dist), "utf8");
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=/);
  });
});
