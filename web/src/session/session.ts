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

type Message = { kind: "session"; token: Token; account: Account } | { kind: "signed-out" };

const LOCK = "session";
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
  else become(data.token, { status: "signed-in", account: data.account, mustChangePassword: false });
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
      if (!(error instanceof Unreachable)) return;
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

  /** After a new password the other sessions of the account have ended. */
  passwordChanged(): void {
    if (state.status === "signed-in") become(token, { ...state, mustChangePassword: false });
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
    if (error instanceof Unreachable) throw error;
    return null;
  }
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
      if (error instanceof ApiError) ended(old !== null);
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
  become(fresh, { status: "signed-in", account, mustChangePassword: view.must_change_password ?? false });
  channel?.postMessage({ kind: "session", token: fresh, account } satisfies Message);
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
