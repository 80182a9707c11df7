import { describe, expect, it } from "vitest";
import { detailOf, subjectOf } from "./audit";

describe("audit log", () => {
  it("names accounts by their address, and keeps what it does not know", () => {
    const emails = new Map([["1", "ada@example.com"]]);
    expect(subjectOf("user:1", emails)).toBe("ada@example.com");
    expect(subjectOf("user:2", emails)).toBe("user:2");
    expect(subjectOf("alias:titanic:production", emails)).toBe("alias:titanic:production");
  });

  it("shows details without empty ones", () => {
    expect(detailOf({ role: "admin", disabled: null, features: ["a"] })).toBe('role: admin, features: ["a"]');
    expect(detailOf(null)).toBe("");
  });
});
