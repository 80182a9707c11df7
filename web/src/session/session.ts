/**
 * The session of this browser. The refresh token is in a cookie that scripts can't read; the access token is only in
 * memory. Tabs share each new access token, and only one tab refreshes at a time.
 */

import { connection } from "../api/connection";
import { ApiError, errorOf, Unreachable } from "../api/problem";
import type { components } from "../api/schema";
import { acrossTabs } from "./lock";

type SessionView = components["schemas"]["SessionView"];
export type Account = components["schemas"]["MeView"];
export type Section = "training" | "datasets" | "schedules" | "webhooks" | "queue";

export type SessionState =
  | { status: "anonymous"; expired: boolean }
  | { status: "signed-in"; account: Account; mustChangePassword: boolean };

interface Token {
  text: string;
  expiresAt: number;
}

type SignedIn = Extract<SessionState, { status: "signed-in" }>;
type Message = { kind: "session"; token: Token; state: SignedIn } | { kind: "signed-out" };

const LOCK = "session";
/** A start that the server could not answer is repeated after this time. */
const RETRY_MS = 2_000;
/** A token is replaced this long before it expires. */
const MARGIN_MS = 30_000;
const JSON_HEADERS = { "content-type": "application/json" };
const CSRF_HEADERS = { "x-trainyard-csrf": "1" };

let state: SessionState = { status: "anonymous", expired: false };
let token: Token | null = null;
let refreshing: Promise<void> | null = null;
const listeners = new Set<() => void>();
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("trainyard-session");

channel?.addEventListener("message", ({ data }: MessageEvent<Message>) => {
  if (data.kind === "signed-out") become(null, { status: "anonymous", expired: true });
  else become(data.token, data.state);
});

function become(next: Token | null, value: SessionState): void {
  token = next;
  state = value;
  for (const listener of listeners) listener();
}

export const session = {
  get: (): SessionState => state,

  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },

  /** Whether this browser is signed in; called once before the first page. */
  async start(): Promise<void> {
    try {
      await refresh(null);
    } catch (error) {
      if (isRefusal(error)) return;
      if (!(error instanceof Unreachable)) return void setTimeout(session.start, RETRY_MS);
      // The session may still be valid when the server is back.
      const stop = connection.subscribe(() => {
        if (connection.isAway()) return;
        stop();
        void session.start();
      });
    }
  },

  async signIn(email: string, password: string): Promise<void> {
    const response = await send("/login?session=cookie", { headers: JSON_HEADERS, body: credentials(email, password) });
    await accept((await response.json()) as SessionView);
  },

  async signUp(email: string, password: string): Promise<void> {
    await send("/signup", { headers: JSON_HEADERS, body: credentials(email, password) });
    await session.signIn(email, password);
  },

  async signOut(): Promise<void> {
    await send("/logout", { headers: CSRF_HEADERS }).catch((error: unknown) => {
      // The session may have ended already.
      if (!(error instanceof ApiError)) throw error;
    });
    ended(false);
    channel?.postMessage({ kind: "signed-out" } satisfies Message);
  },

  /** Reads the account again: an administrator may have changed its role since. */
  async readAccount(): Promise<void> {
    if (state.status !== "signed-in" || !token) return;
    const [before, current] = [state, token];
    const response = await send("/me", { method: "GET", headers: { authorization: `Bearer ${current.text}` } });
    const account = (await response.json()) as Account;
    const isSame = JSON.stringify(account) === JSON.stringify(before.account);
    if (!isSame && token === current) share(current, { ...before, account });
  },

  /** After a new password the other sessions of the account have ended. */
  passwordChanged(): void {
    if (state.status === "signed-in" && token) share(token, { ...state, mustChangePassword: false });
  },
};

/** An access token that is valid for some seconds; null without a session. */
export async function accessToken(): Promise<string | null> {
  if (token && token.expiresAt - MARGIN_MS < Date.now()) await refresh(token.text);
  return token?.text ?? null;
}

/** Replaces an access token that the server refused. Returns null when the session has ended. */
export async function replaceToken(refused: string): Promise<string | null> {
  try {
    await refresh(refused);
    return token?.text ?? null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return null;
  }
}

/** Whether the server has ended the session. A server with a trouble of its own has not: the session is still valid later. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500 && error.status !== 429;
}

function ended(expired: boolean): void {
  become(null, { status: "anonymous", expired });
}

function credentials(email: string, password: string): string {
  return JSON.stringify({ email, password });
}

/** Gets a new access token, unless another tab or another request has already replaced `old`. */
function refresh(old: string | null): Promise<void> {
  if (token && token.text !== old && token.expiresAt - MARGIN_MS > Date.now()) return Promise.resolve();
  refreshing ??= acrossTabs(LOCK, async () => {
    if (token && token.text !== old) return;
    try {
      const response = await send("/refresh", { headers: CSRF_HEADERS });
      await accept((await response.json()) as SessionView);
    } catch (error) {
      if (isRefusal(error)) ended(old !== null);
      throw error;
    }
  }).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function accept(view: SessionView): Promise<void> {
  const fresh: Token = { text: view.access_token, expiresAt: Date.now() + view.expires_in * 1000 };
  const response = await send("/me", { method: "GET", headers: { authorization: `Bearer ${fresh.text}` } });
  const account = (await response.json()) as Account;
  share(fresh, { status: "signed-in", account, mustChangePassword: view.must_change_password ?? false });
}

/** The state of this tab and of all others. */
function share(next: Token, value: SignedIn): void {
  become(next, value);
  channel?.postMessage({ kind: "session", token: next, state: value } satisfies Message);
}

async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await connection.fetch(path, { method: "POST", credentials: "same-origin", ...init });
  if (response.ok) return response;
  const error = await errorOf(response);
  if (error instanceof Unreachable) connection.lost();
  throw error;
}

/** Whether the account may read a section of the API. */
export function mayRead(value: SessionState, section: Section): boolean {
  return value.status === "signed-in" && value.account.may_read.includes(section);
}

export function isAdmin(value: SessionState): boolean {
  return value.status === "signed-in" && value.account.role === "admin";
}
