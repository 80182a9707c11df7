import { describe, expect, it } from "vitest";
import { ApiError, errorOf, messageOf, Unreachable } from "./problem";

const problem = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json", ...headers } });

describe("errorOf", () => {
  it("reads the problem document with its fields and the time to wait", async () => {
    const errors = [
      { field: "name", message: "must be shorter" },
      { field: "params.c", message: "must be positive" },
    ];
    const error = await errorOf(problem(422, { detail: "2 fields are not valid", code: "validation_failed", errors }));
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).fields).toEqual({ name: "must be shorter", "params.c": "must be positive" });
    expect(messageOf(error)).toBe("2 fields are not valid");
    const busy = await errorOf(problem(429, { detail: "too many sign-ins" }, { "retry-after": "30" }));
    expect(messageOf(busy)).toBe("too many sign-ins (try again in 30 s)");
  });

  it("names the field where only one is wrong", async () => {
    const error = await errorOf(
      problem(422, { detail: "1 field", errors: [{ field: "version", message: "is unknown" }] }),
    );
    expect(messageOf(error)).toBe("version: is unknown");
  });

  it("tells a server that is away from a server that refuses", async () => {
    expect(await errorOf(new Response("<html>Bad gateway", { status: 502 }))).toBeInstanceOf(Unreachable);
    expect(await errorOf(problem(503, { detail: "the database is unavailable" }))).toBeInstanceOf(ApiError);
    expect(messageOf(await errorOf(new Response("?", { status: 418 })))).toBe("The server answered 418.");
  });
});
