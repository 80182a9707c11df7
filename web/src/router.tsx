/** Every page with its path, its search parameters and the accounts that may open it. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  type SearchSchemaInput,
} from "@tanstack/react-router";
import { isAdmin, mayRead, type Section, type SessionState, session } from "./session/session";
import { Failure, Forbidden, NotFound } from "./shell/fallbacks";
import { Shell } from "./shell/shell";

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

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

const requireAdmin = () => {
  if (!isAdmin(session.get())) throw new Refused("administrators");
};

const requireSection = (section: Section) => () => {
  if (!mayRead(session.get(), section)) throw new Refused(`administrators, and accounts that may read ${section},`);
};

const shellRoute = createRoute({
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

const indexRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: mayRead(session.get(), "training") ? "/jobs" : "/models" });
  },
});

/** Only pages of the console: a link from elsewhere must not lead to another site after the sign-in. */
export function nextPage(next: string | undefined): string {
  return next?.startsWith("/") && !next.startsWith("//") && !next.includes("\\") ? next : "/";
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
const positive = (value: unknown) => {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 ? number : undefined;
};
/** Leaves out undefined values, so that a URL has only what is set. */
function only<T extends Record<string, unknown>>(search: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(search).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
type Input = Record<string, unknown> & SearchSchemaInput;

const anonymousSearch = (search: Input) =>
  only({ next: text(search.next), expired: search.expired === true ? (true as const) : undefined });

/** People who are signed in already continue. */
const skipIfSignedIn = ({ search }: { search: { next?: string } }) => {
  if (session.get().status === "signed-in") throw redirect({ href: nextPage(search.next) });
};

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: anonymousSearch,
  beforeLoad: skipIfSignedIn,
  component: lazyRouteComponent(() => import("./pages/sign-in"), "SignIn"),
});

const signUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-up",
  validateSearch: anonymousSearch,
  beforeLoad: skipIfSignedIn,
  component: lazyRouteComponent(() => import("./pages/sign-in"), "SignUp"),
});

const accountRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/account",
  component: lazyRouteComponent(() => import("./pages/account"), "AccountPage"),
});

const modelsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/models",
  validateSearch: (search: Input) => only({ q: text(search.q), page: positive(search.page) }),
  component: lazyRouteComponent(() => import("./pages/models"), "ModelsPage"),
});

const modelRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/models/$name",
  validateSearch: (search: Input) => only({ a: positive(search.a), b: positive(search.b) }),
  component: lazyRouteComponent(() => import("./pages/model"), "ModelPage"),
});

const predictRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/predict",
  validateSearch: (search: Input) => only({ model: text(search.model), version: positive(search.version) }),
  component: lazyRouteComponent(() => import("./pages/predict"), "PredictPage"),
});

const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
const ALGORITHMS = ["random_forest", "decision_tree", "svm", "logistic_regression", "ridge"] as const;
const oneOf = <T extends string>(all: readonly T[], value: unknown) => all.find((one) => one === value);

const jobsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/jobs",
  validateSearch: (search: Input) =>
    only({
      status: oneOf(STATUSES, search.status),
      name: text(search.name),
      algorithm: oneOf(ALGORITHMS, search.algorithm),
      created_by: text(search.created_by),
    }),
  beforeLoad: requireSection("training"),
  component: lazyRouteComponent(() => import("./pages/jobs"), "JobsPage"),
});

const JOB_TABS = ["overview", "log", "metrics", "spec"] as const;

// The owner of a job may open it without the right to read all jobs; the server decides.
const jobRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/jobs/$id",
  validateSearch: (search: Input) => only({ tab: oneOf(JOB_TABS, search.tab) }),
  component: lazyRouteComponent(() => import("./pages/job"), "JobPage"),
});

const trainRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/train",
  validateSearch: (search: Input) => only({ dataset: text(search.dataset), clone: text(search.clone) }),
  beforeLoad: requireAdmin,
  component: lazyRouteComponent(() => import("./pages/train"), "TrainPage"),
});

const datasetsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/datasets",
  beforeLoad: requireSection("datasets"),
  component: lazyRouteComponent(() => import("./pages/datasets"), "DatasetsPage"),
});

const datasetRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/datasets/$name",
  beforeLoad: requireSection("datasets"),
  component: lazyRouteComponent(() => import("./pages/dataset"), "DatasetPage"),
});

const operateRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/operate",
  beforeLoad: requireSection("queue"),
  component: lazyRouteComponent(() => import("./pages/operate"), "OperatePage"),
});

export const router = createRouter({
  basepath: "/console",
  routeTree: rootRoute.addChildren([
    signInRoute,
    signUpRoute,
    shellRoute.addChildren([
      indexRoute,
      accountRoute,
      modelsRoute,
      modelRoute,
      predictRoute,
      jobsRoute,
      jobRoute,
      trainRoute,
      datasetsRoute,
      datasetRoute,
      operateRoute,
    ]),
  ]),
  defaultErrorComponent: ({ error }) => (error instanceof Refused ? <Forbidden /> : <Failure error={error} />),
  defaultNotFoundComponent: NotFound,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
