/**
 * Interfaces that the server gets at the same time as these pages, by their specification. Delete this file when
 * schema.d.ts has them.
 */
import type { JobFilter } from "../lib/job-filter";
import type { components, paths } from "./schema";

interface Answer<T> {
  headers: { [name: string]: unknown };
  content: { "application/json": T };
}

interface Get<Query, T> {
  parameters: { query?: Query; header?: never; path?: never; cookie?: never };
  requestBody?: never;
  responses: { 200: Answer<T> };
}

interface Method {
  parameters: { query?: never; header?: never; path?: never; cookie?: never };
  put?: never;
  delete?: never;
  options?: never;
  head?: never;
  patch?: never;
  trace?: never;
}

export interface CountView {
  count: number;
  /** Whether more than `count` jobs match. */
  more: boolean;
}

export interface ActionRequest {
  action: "cancel" | "retry";
  filter: JobFilter;
  expect_count: number;
}

export interface ActionView {
  action_id: string;
  action: "cancel" | "retry";
  filter: JobFilter;
  status: "running" | "succeeded" | "failed";
  total: number;
  processed: number;
  changed: number;
  skipped: number;
  skipped_jobs: { job_id: string; reason: string }[];
  created_by: string;
  created_at: string;
  finished_at: string | null;
  error?: string;
}

export interface HistoryPoint {
  at: string;
  queued: number;
  running: number;
  oldest_age_s: number | null;
  finished: number;
  failed: number;
}

export interface HistoryView {
  interval_s: number;
  points: HistoryPoint[];
}

interface Accepted {
  action_id: string;
  status: "running";
  status_url: string;
}

type AuditQuery = { limit?: number; cursor?: string; action?: string; actor?: string; subject?: string };
type AuditPage = components["schemas"]["List_AuditView"];

export interface UpcomingPaths {
  "/training": Omit<paths["/training"], "get"> & {
    get: Get<JobFilter & { limit?: number; cursor?: string }, components["schemas"]["List_JobView"]>;
  };
  "/training/count": Method & { get: Get<JobFilter, CountView>; post?: never };
  "/training/actions": Method & {
    get?: never;
    post: {
      parameters: { query?: never; header?: never; path?: never; cookie?: never };
      requestBody: { content: { "application/json": ActionRequest } };
      responses: { 202: Answer<Accepted> };
    };
  };
  "/training/actions/{id}": Method & {
    get: {
      parameters: { query?: never; header?: never; path: { id: string }; cookie?: never };
      requestBody?: never;
      responses: { 200: Answer<ActionView> };
    };
    post?: never;
  };
  "/queue/history": Method & { get: Get<{ minutes?: number }, HistoryView>; post?: never };
  "/admin/audit": Method & { get: Get<AuditQuery, AuditPage>; post?: never };
}
