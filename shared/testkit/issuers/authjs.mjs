// Creates session tokens like Auth.js 5 and NextAuth 4. Reads one JSON request per line and prints one token per line:
// {"version": 5 or 4, "secret": …, "salt": …, "maxAge": seconds, "token": {…}, "now": seconds since the Unix epoch, or
// null}
import { createInterface } from "node:readline";
import { encode as encode5 } from "@auth/core/jwt";
import { encode as encode4 } from "next-auth/jwt";

const RealDate = Date;

// The libraries read the clock themselves.
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
