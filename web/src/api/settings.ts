import { queryOptions } from "@tanstack/react-query";
import { connection } from "./connection";

/** Facts about the server that need no sign-in. */
export interface Settings {
  signup_open: boolean;
  /** Most bytes of a dataset, after decompression. */
  max_dataset_bytes: number;
  version: string;
}

export const settings = queryOptions({
  queryKey: ["settings"],
  queryFn: async (): Promise<Settings> => {
    const response = await connection.fetch("/console/settings.json");
    return (await response.json()) as Settings;
  },
  staleTime: Number.POSITIVE_INFINITY,
});
