/** The pages of the section Operate, each with its own permission and its own chunk. */
import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { operateParts } from "../lib/operate";
import { session } from "../session/session";
import { type Input, oneOf, only, Refused, requireAdmin, requireSection, shellRoute, text } from "./base";

const operateRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/operate",
  component: lazyRouteComponent(() => import("../pages/operate/parts"), "OperateParts"),
});

/** The first part that the account may open. */
const indexRoute = createRoute({
  getParentRoute: () => operateRoute,
  path: "/",
  beforeLoad: () => {
    const first = operateParts(session.get())[0];
    if (!first) throw new Refused("administrators, and accounts that may read queue,");
    throw redirect({ to: first.to, replace: true });
  },
});

const queueRoute = createRoute({
  getParentRoute: () => operateRoute,
  path: "/queue",
  beforeLoad: requireSection("queue"),
  component: lazyRouteComponent(() => import("../pages/operate/queue"), "QueuePage"),
});

const failuresRoute = createRoute({
  getParentRoute: () => operateRoute,
  path: "/failures",
  validateSearch: (search: Input) => only({ action: text(search.action) }),
  beforeLoad: requireSection("training"),
  component: lazyRouteComponent(() => import("../pages/operate/failures"), "FailuresPage"),
});

const schedulesRoute = createRoute({
  getParentRoute: () => operateRoute,
  path: "/schedules",
  beforeLoad: requireSection("schedules"),
  component: lazyRouteComponent(() => import("../pages/operate/schedules"), "SchedulesPage"),
});

const newScheduleRoute = createRoute({
  getParentRoute: () => operateRoute,
  path: "/schedules/new",
  validateSearch: (search: Input) => only({ job: text(search.job) }),
  beforeLoad: requireAdmin,
  component: lazyRouteComponent(() => import("../pages/operate/schedule-new"), "NewSchedulePage"),
});

const scheduleRoute = createRoute({
  getParentRoute: () => operateRoute,
  path: "/schedules/$id",
  beforeLoad: requireSection("schedules"),
  component: lazyRouteComponent(() => import("../pages/operate/schedule"), "SchedulePage"),
});

const DELIVERY_STATUSES = ["pending", "delivered", "failed"] as const;

const webhooksRoute = createRoute({
  getParentRoute: () => operateRoute,
  path: "/webhooks",
  validateSearch: (search: Input) =>
    only({ status: oneOf(DELIVERY_STATUSES, search.status), job: text(search.job), delivery: text(search.delivery) }),
  beforeLoad: requireSection("webhooks"),
  component: lazyRouteComponent(() => import("../pages/operate/webhooks"), "WebhooksPage"),
});

const usersRoute = createRoute({
  getParentRoute: () => operateRoute,
  path: "/users",
  beforeLoad: requireAdmin,
  component: lazyRouteComponent(() => import("../pages/operate/users"), "UsersPage"),
});

const auditRoute = createRoute({
  getParentRoute: () => operateRoute,
  path: "/audit",
  validateSearch: (search: Input) =>
    only({ action: text(search.action), actor: text(search.actor), subject: text(search.subject) }),
  beforeLoad: requireAdmin,
  component: lazyRouteComponent(() => import("../pages/operate/audit"), "AuditPage"),
});

export const operateRoutes = operateRoute.addChildren([
  indexRoute,
  queueRoute,
  failuresRoute,
  schedulesRoute,
  newScheduleRoute,
  scheduleRoute,
  webhooksRoute,
  usersRoute,
  auditRoute,
]);
