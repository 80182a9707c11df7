import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { curlSnippet, pythonLiteral, pythonSnippet, shellQuote } from "./snippets";

describe("snippets", () => {
  it("quotes every text for the shell", () => {
    const text = `it's "$HOME" \`id\` \\ \n end`;
    expect(execFileSync("sh", ["-c", `printf %s ${shellQuote(text)}`]).toString()).toBe(text);
  });

  it("writes a complete curl command", () => {
    const command = curlSnippet("http://10.0.0.1:8080", { model: "m", features: { town: "L'Aquila" } });
    expect(command).toContain("curl 'http://10.0.0.1:8080/inference'");
    expect(command).toContain(`'{"model":"m","features":{"town":"L'\\''Aquila"}}'`);
  });

  it("writes Python literals", () => {
    expect(pythonLiteral({ a: null, b: true, c: [1, "x"], d: false })).toBe(
      '{"a": None, "b": True, "c": [1, "x"], "d": False}',
    );
    expect(pythonSnippet("http://host", { features: { a: null } })).toContain('json.dumps({"features": {"a": None}})');
  });
});
