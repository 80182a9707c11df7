// Adds a Brotli and a gzip copy of each built file that gets smaller by a tenth.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
// Only the tests read the manifest.
const manifest = join(dist, "manifest.json");
writeFileSync(join(dist, "..", "node_modules", ".console-manifest.json"), readFileSync(manifest));
rmSync(manifest);
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name === ".gitignore") continue;
  const path = join(entry.parentPath, entry.name);
  const plain = readFileSync(path);
  const copies = {
    br: brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
    gz: gzipSync(plain, { level: 9 }),
  };
  for (const [ending, copy] of Object.entries(copies)) {
    if (copy.length < plain.length * 0.9) writeFileSync(`${path}.${ending}`, copy);
  }
}
