import { describe, expect, it } from "vitest";
import { endOfRows, sampleOf } from "./sample";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("sample of a file", () => {
  it("ends with a complete row", () => {
    expect(endOfRows(bytes("a,b\n1,2\n3,"))).toBe(8);
    // The second line break is inside of a field.
    expect(endOfRows(bytes('a,b\n1,"x\ny'))).toBe(4);
    expect(endOfRows(bytes('a,b\n1,"x""\ny"\n2'))).toBe(14);
    expect(endOfRows(bytes("a,b,c"))).toBeNull();
  });

  it("does not cut what it can't read", () => {
    expect(endOfRows(Uint8Array.of(0x1f, 0x8b, 0x0a))).toBeNull();
    expect(endOfRows(Uint8Array.of(0xff, 0xfe, 0x61, 0, 0x0a, 0))).toBeNull();
  });

  it("is the whole file, unless the file is large", async () => {
    expect(await sampleOf(new Blob(["a\n1\n"]))).toMatchObject({ whole: true });
    const large = await sampleOf(new Blob(["a,b\n", "1,2\n".repeat(5_000_000)]));
    expect(large?.whole).toBe(false);
    expect(large?.body.size).toBe(2_000_000);
  });
});
