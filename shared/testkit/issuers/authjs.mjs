// Makes session tokens as Auth.js 5 and NextAuth 4 make them. Reads one request a line, as JSON, and prints one token a line:
// {"version": 5 or 4, "secret": …, "salt": …, "maxAge": seconds, "token": {…}, "now": seconds since 1970 or null for the clock's}
import { createInterface } from "node:readline";
import { encode as encode5 } from "@auth/core/jwt";
import { encode as encode4 } from "next-auth/jwt";

const RealDate = Date;

// The libraries read the clock by themselves.
function setClock(now) {
  globalThis.Date = now === null ? RealDate : class extends RealDate {
    constructor(...given) {
      given.length === 0 ? super(now * 1000) : super(...given);
    }
    static now() {
      return now * 1000;
    }
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { version, now, ...request } = JSON.parse(line);
  setClock(now ?? null);
  console.log(await (version === 4 ? encode4 : encode5)(request));
}
