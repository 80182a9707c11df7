/** The queries of the section Operate. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { JobFilter } from "../lib/job-filter";
import { api, data } from "./client";
import { every } from "./query-client";
import type { components } from "./schema";

export type QueueView = components["schemas"]["QueueView"];
export type AccountView = components["schemas"]["AccountView"];
export type ScheduleView = components["schemas"]["ScheduleView"];
export type ScheduleRunView = components["schemas"]["ScheduleRunView"];
export type DeliveryView = components["schemas"]["DeliveryView"];
export type DeliveryStatus = components["schemas"]["DeliveryStatusView"];
export type AuditView = components["schemas"]["AuditView"];
export type HistoryPoint = components["schemas"]["QueuePointView"];

export interface DeliveryFilter {
  status?: DeliveryStatus;
  job_id?: string;
}

export interface AuditFilter {
  action?: string;
  actor?: string;
  subject?: string;
}

/** Rows of one page of a list. */
const PAGE = 50;
const LIVE_MS = 2_000;

const pageOf = (cursor: string) => (cursor ? { limit: PAGE, cursor } : { limit: PAGE });
const pages = { initialPageParam: "", getNextPageParam: (page: { next_cursor: string | null }) => page.next_cursor };

export const operate = {
  queue: () =>
    queryOptions({ queryKey: ["queue"], queryFn: () => data(api.GET("/queue")), refetchInterval: every(LIVE_MS) }),

  history: (minutes: number) =>
    queryOptions({
      queryKey: ["queue", "history", minutes],
      queryFn: () => data(api.GET("/queue/history", { params: { query: { minutes } } })),
      refetchInterval: every(30_000),
    }),

  count: (filter: JobFilter) =>
    queryOptions({
      queryKey: ["jobs", "count", filter],
      queryFn: () => data(api.GET("/training/count", { params: { query: filter } })),
      refetchInterval: every(5_000),
    }),

  /** The newest jobs that match. */
  newest: (filter: JobFilter, limit: number) =>
    queryOptions({
      queryKey: ["jobs", "newest", filter, limit],
      queryFn: () => data(api.GET("/training", { params: { query: { ...filter, limit } } })),
      refetchInterval: every(LIVE_MS),
    }),

  action: (id: string) =>
    queryOptions({
      queryKey: ["actions", id],
      queryFn: () => data(api.GET("/training/actions/{action_id}", { params: { path: { action_id: id } } })),
      refetchInterval: (query) => (query.state.data?.status === "running" ? every(500)(query) : false),
    }),

  users: () =>
    infiniteQueryOptions({
      queryKey: ["users"],
      queryFn: ({ pageParam }) => data(api.GET("/admin/users", { params: { query: pageOf(pageParam) } })),
      ...pages,
    }),

  schedules: () =>
    infiniteQueryOptions({
      queryKey: ["schedules", "list"],
      queryFn: ({ pageParam }) => data(api.GET("/schedules", { params: { query: pageOf(pageParam) } })),
      ...pages,
      refetchInterval: every(5_000),
    }),

  schedule: (id: string) =>
    queryOptions({
      queryKey: ["schedules", id],
      queryFn: () => data(api.GET("/schedules/{id}", { params: { path: { id } } })),
      refetchInterval: every(5_000),
    }),

  runs: (id: string) =>
    infiniteQueryOptions({
      queryKey: ["schedules", id, "runs"],
      queryFn: ({ pageParam }) =>
        data(api.GET("/schedules/{id}/runs", { params: { path: { id }, query: pageOf(pageParam) } })),
      ...pages,
      refetchInterval: every(5_000),
    }),

  deliveries: (filter: DeliveryFilter) =>
    infiniteQueryOptions({
      queryKey: ["deliveries", "list", filter],
      queryFn: ({ pageParam }) =>
        data(api.GET("/webhooks/deliveries", { params: { query: { ...filter, ...pageOf(pageParam) } } })),
      ...pages,
      refetchInterval: every(5_000),
    }),

  delivery: (id: string) =>
    queryOptions({
      queryKey: ["deliveries", id],
      queryFn: () => data(api.GET("/webhooks/deliveries/{id}", { params: { path: { id } } })),
      refetchInterval: every(LIVE_MS),
    }),

  /** The newest changes of a model and of its aliases and traffic. */
  modelChanges: (name: string) =>
    queryOptions({
      queryKey: ["models", name, "changes"],
      queryFn: () =>
        data(
          api.GET("/admin/audit", { params: { query: { subject: `model:${name}`, action: "model.*", limit: 100 } } }),
        ),
      refetchInterval: every(10_000),
    }),

  audit: (filter: AuditFilter) =>
    infiniteQueryOptions({
      queryKey: ["audit", filter],
      queryFn: ({ pageParam }) =>
        data(api.GET("/admin/audit", { params: { query: { ...filter, ...pageOf(pageParam) } } })),
      ...pages,
    }),
};
