/** Every page with its path, its search parameters and the accounts that may open it. */
import { createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { JOB_FIELDS, validFilter } from "./lib/job-filter";
import {
  type Input,
  oneOf,
  only,
  positive,
  Refused,
  requireAdmin,
  requireSection,
  rootRoute,
  shellRoute,
  text,
} from "./router/base";
import { operateRoutes } from "./router/operate";
import { mayRead, session } from "./session/session";
import { Failure, Forbidden, NotFound } from "./shell/fallbacks";

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

const jobsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/jobs",
  validateSearch: (search: Input) => {
    const fields = JOB_FIELDS.map((field) => [field, text(search[field])]);
    return only({ ...validFilter(Object.fromEntries(fields)), action: text(search.action) });
  },
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
      operateRoutes,
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
