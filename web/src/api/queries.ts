/** The queries of the pages. One definition per resource, so that pages share the cache. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Draft } from "../lib/signature";
import { api, data } from "./client";
import { every } from "./query-client";
import type { components } from "./schema";

export type JobView = components["schemas"]["JobView"];
export type DatasetView = components["schemas"]["DatasetView"];
export type ColumnView = components["schemas"]["ColumnView"];
export type AlgorithmView = components["schemas"]["AlgorithmView"];
export type { Draft };

/** The largest page of a list. */
const LIMIT = 100;
const LIVE_MS = 2_000;

/** All models: an installation has few, and sorting needs all. Stops after twenty pages. */
async function allModels() {
  const models: components["schemas"]["ModelView"][] = [];
  let cursor: string | null | undefined;
  for (let page = 0; page < 20; page++) {
    const query = cursor ? { limit: LIMIT, cursor } : { limit: LIMIT };
    const list = await data(api.GET("/models", { params: { query } }));
    models.push(...list.items);
    cursor = list.next_cursor;
    if (!cursor) break;
  }
  return models;
}

export const queries = {
  models: () => queryOptions({ queryKey: ["models"], queryFn: allModels, refetchInterval: every(10_000) }),

  model: (name: string) =>
    queryOptions({
      queryKey: ["models", name],
      queryFn: () => data(api.GET("/models/{name}", { params: { path: { name }, query: { limit: LIMIT } } })),
      refetchInterval: every(5_000),
    }),

  /** Versions that are older than those of `model`. */
  olderVersions: (name: string, cursor: string) =>
    infiniteQueryOptions({
      queryKey: ["models", name, "older", cursor],
      queryFn: ({ pageParam }) =>
        data(api.GET("/models/{name}", { params: { path: { name }, query: { limit: LIMIT, cursor: pageParam } } })),
      initialPageParam: cursor,
      getNextPageParam: (page) => page.next_cursor,
      staleTime: 60_000,
    }),

  /** The newest trainings that published a version of these models, to say who trained which version. */
  publications: (names: readonly string[]) =>
    queryOptions({
      queryKey: ["jobs", "publications", names],
      queryFn: () => {
        const filter = { name: names.join(","), kind: "training", status: "succeeded" };
        return data(api.GET("/training", { params: { query: { ...filter, limit: LIMIT } } }));
      },
      staleTime: 60_000,
    }),

  traffic: (name: string) =>
    queryOptions({
      queryKey: ["models", name, "traffic"],
      queryFn: () => data(api.GET("/models/{name}/traffic", { params: { path: { name } } })),
      refetchInterval: every(5_000),
    }),

  aliasHistory: (name: string, alias: string) =>
    infiniteQueryOptions({
      queryKey: ["models", name, "aliases", alias, "history"],
      queryFn: ({ pageParam }) => {
        const query = pageParam ? { limit: 10, cursor: pageParam } : { limit: 10 };
        return data(api.GET("/models/{name}/aliases/{alias}/history", { params: { path: { name, alias }, query } }));
      },
      initialPageParam: "",
      getNextPageParam: (page) => page.next_cursor,
      refetchInterval: every(5_000),
    }),

  version: (name: string, version: number) =>
    queryOptions({
      queryKey: ["models", name, "versions", version],
      queryFn: () => data(api.GET("/models/{name}/versions/{version}", { params: { path: { name, version } } })),
      staleTime: 60_000,
    }),

  /** The requests of the production version, in the process that answers. */
  drift: (name: string) =>
    queryOptions({
      queryKey: ["models", name, "drift"],
      queryFn: () => data(api.GET("/inference/drift", { params: { query: { model: name } } })),
      refetchInterval: every(30_000),
    }),

  job: (id: string) =>
    queryOptions({
      queryKey: ["jobs", id],
      queryFn: () => data(api.GET("/training/{job_id}", { params: { path: { job_id: id } } })),
      refetchInterval: (query) => (isFinal(query.state.data?.status) ? false : every(LIVE_MS)(query)),
    }),

  algorithms: () =>
    queryOptions({ queryKey: ["algorithms"], queryFn: () => data(api.GET("/algorithms")), staleTime: 300_000 }),

  datasets: () =>
    infiniteQueryOptions({
      queryKey: ["datasets", "list"],
      queryFn: ({ pageParam }) =>
        data(api.GET("/datasets", { params: { query: pageParam ? { limit: 50, cursor: pageParam } : { limit: 50 } } })),
      initialPageParam: "",
      getNextPageParam: (page) => page.next_cursor,
    }),

  dataset: (name: string) =>
    queryOptions({
      queryKey: ["datasets", name],
      queryFn: () => data(api.GET("/datasets/{name}", { params: { path: { name } } })),
    }),

  preview: (name: string) =>
    queryOptions({
      queryKey: ["datasets", name, "preview"],
      queryFn: () => data(api.GET("/datasets/{name}/preview", { params: { path: { name } } })),
    }),
};

/** Whether a job has ended. */
export function isFinal(status: JobView["status"] | undefined): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled";
}
