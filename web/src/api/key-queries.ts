/** The queries of API keys. */
import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, data } from "./client";
import type { components } from "./schema";

export type ApiKeyView = components["schemas"]["ApiKeyView"];
export type CreatedApiKey = components["schemas"]["CreatedApiKeyView"];

/** Rows of one page of the list. */
const PAGE = 50;

export const apiKeys = () =>
  infiniteQueryOptions({
    queryKey: ["api-keys"],
    queryFn: ({ pageParam }) => {
      const query = pageParam ? { limit: PAGE, cursor: pageParam } : { limit: PAGE };
      return data(api.GET("/api-keys", { params: { query } }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });
