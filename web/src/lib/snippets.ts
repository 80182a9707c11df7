/** Requests of the console as programs. */

/** Quotes a text for a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export function curlSnippet(origin: string, body: unknown): string {
  return [
    `curl ${shellQuote(`${origin}/inference`)} \\`,
    `  -H "Authorization: Bearer $TRAINYARD_TOKEN" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${shellQuote(JSON.stringify(body))}`,
  ].join("\n");
}

export function pythonSnippet(origin: string, body: unknown): string {
  return [
    "import json, os, urllib.request",
    "",
    "request = urllib.request.Request(",
    `    ${JSON.stringify(`${origin}/inference`)},`,
    `    data=json.dumps(${pythonLiteral(body)}).encode(),`,
    "    headers={",
    `        "Authorization": f"Bearer {os.environ['TRAINYARD_TOKEN']}",`,
    '        "Content-Type": "application/json",',
    "    },",
    ")",
    "print(json.load(urllib.request.urlopen(request)))",
  ].join("\n");
}

/** JSON and Python differ only in three constants. */
export function pythonLiteral(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pythonLiteral(item)}`);
    return `{${entries.join(", ")}}`;
  }
  return JSON.stringify(value);
}
