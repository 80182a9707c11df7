/** What the routes of all pages share: the root, the frame with its guard, the guards of roles, and search parameters. */
import { createRootRoute, createRoute, Outlet, redirect, type SearchSchemaInput } from "@tanstack/react-router";
import { isAdmin, mayRead, type Section, type SessionState, session } from "../session/session";
import { Failure, NotFound } from "../shell/fallbacks";
import { Shell } from "../shell/shell";

export const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

/** An account with a one-time password sets its own password first. */
function requireSession(location: { href: string }): SessionState {
  const state = session.get();
  if (state.status === "anonymous") {
    throw redirect({ to: "/sign-in", search: { next: location.href, ...(state.expired ? { expired: true } : {}) } });
  }
  return state;
}

/** Thrown by the route of a page that the account may not open. */
export class Refused extends Error {
  constructor(readonly who: string) {
    super(`Only ${who} can open this page.`);
  }
}

export const requireAdmin = () => {
  if (!isAdmin(session.get())) throw new Refused("administrators");
};

export const requireSection = (section: Section) => () => {
  if (!mayRead(session.get(), section)) throw new Refused(`administrators, and accounts that may read ${section},`);
};

export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  component: Shell,
  beforeLoad: ({ location }) => {
    const state = requireSession(location);
    if (state.status === "signed-in" && state.mustChangePassword && location.pathname !== "/account") {
      throw redirect({ to: "/account" });
    }
  },
  errorComponent: Failure,
});

export type Input = Record<string, unknown> & SearchSchemaInput;

/** A text that is not empty. The router reads a text of digits as a number. */
export const text = (value: unknown) => {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
};

export const positive = (value: unknown) => {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 ? number : undefined;
};

export const oneOf = <T extends string>(all: readonly T[], value: unknown) => all.find((one) => one === value);

/** Leaves out undefined values, so that a URL has only what is set. */
export function only<T extends Record<string, unknown>>(search: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(search).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
