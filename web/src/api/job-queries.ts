/** The queries of the list of jobs. Pages are small, so that a list of any length stays quick. */
import { queryOptions } from "@tanstack/react-query";
import type { JobFilter } from "../lib/job-filter";
import { api, data } from "./client";
import type { JobView } from "./queries";
import { every } from "./query-client";

/** Jobs of one page: the most that the server gives. */
export const PAGE = 100;
/** The newest jobs that are watched for new ones. */
export const HEAD = 30;
const LIVE_MS = 2_000;
/** A page that is no longer shown is forgotten after this time, and read again when it comes back. */
const KEPT_MS = 60_000;

export interface JobPage {
  items: JobView[];
  next_cursor: string | null;
}

function read(filter: JobFilter, limit: number, cursor?: string): Promise<JobPage> {
  return data(api.GET("/training", { params: { query: { ...filter, limit, ...(cursor ? { cursor } : {}) } } }));
}

export const jobLists = {
  /** The newest job, and the cursor of the jobs before it: where a list begins that does not move. */
  top: (filter: JobFilter, generation: number) =>
    queryOptions({
      queryKey: ["job-list", filter, generation, "top"],
      queryFn: () => read(filter, 1),
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: KEPT_MS,
    }),

  page: (filter: JobFilter, cursor: string, live: boolean) =>
    queryOptions({
      queryKey: ["jobs", "page", filter, cursor],
      queryFn: () => read(filter, PAGE, cursor),
      refetchInterval: live ? every(LIVE_MS) : false,
      refetchOnWindowFocus: live,
      gcTime: KEPT_MS,
    }),

  /** The newest jobs, to say how many are new and to keep the first row up to date. */
  head: (filter: JobFilter) =>
    queryOptions({
      queryKey: ["jobs", "head", filter],
      queryFn: () => read(filter, HEAD),
      refetchInterval: every(LIVE_MS),
    }),
};
