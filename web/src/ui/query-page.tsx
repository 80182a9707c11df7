import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { isMissing } from "../api/problem";
import { Page } from "./page";
import { ErrorState, Loading } from "./states";

interface Props<T> {
  /** The title until the content is there. */
  title: string;
  query: Pick<UseQueryResult<T, unknown>, "data" | "error" | "refetch">;
  /** Where to go if the content does not exist. */
  back?: ReactNode;
  /** The height of the content, in rows. */
  rows?: number;
  children: (data: T) => ReactNode;
}

/** A page about one thing: loading, not there, or there. Data that can't be refreshed stays, unless the thing is gone. */
export function QueryPage<T>({ title, query, back, rows, children }: Props<T>) {
  const { data, error } = query;
  if (error && (data === undefined || isMissing(error))) {
    return (
      <Page title={title}>
        <ErrorState error={error} retry={() => void query.refetch()} back={back} />
      </Page>
    );
  }
  if (data === undefined) {
    return (
      <Page title={title}>
        <Loading {...(rows === undefined ? {} : { rows })} />
      </Page>
    );
  }
  return children(data);
}
