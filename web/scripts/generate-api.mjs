// Writes src/api/schema.d.ts, the types of the API, from docs/openapi.json. With --check it only compares.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const document = new URL("../../docs/openapi.json", import.meta.url);
const target = new URL("../src/api/schema.d.ts", import.meta.url);
const header = "// Generated from docs/openapi.json by `npm run generate`. Do not edit.\n\n";

const types = header + astToString(await openapiTS(document));
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== types) {
    process.stderr.write("web/src/api/schema.d.ts is out of date: run `make generate`\n");
    process.exit(1);
  }
} else {
  writeFileSync(target, types);
}
