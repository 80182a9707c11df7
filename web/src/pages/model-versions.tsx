import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { queries } from "../api/queries";
import type { VersionView } from "../lib/models";
import { mayRead } from "../session/session";
import { useSession } from "../session/use-session";
import { Pager } from "../ui/table";
import { Time } from "../ui/time";
import { useAccountNames } from "./use-account-names";

const PER_PAGE = 10;

/** A model with the versions that have been read: the newest hundred, and older ones on demand. */
export function useModel(name: string) {
  const model = useQuery(queries.model(name));
  const [wantsOlder, setWantsOlder] = useState(false);
  const cursor = model.data?.next_cursor ?? null;
  const older = useInfiniteQuery({
    ...queries.olderVersions(name, cursor ?? ""),
    enabled: wantsOlder && cursor !== null,
  });
  const newest = model.data?.versions ?? [];
  const others = older.data?.pages.flatMap((page) => page.versions) ?? [];
  return {
    ...model,
    versions: [...newest, ...others],
    /** Whether further versions exist that have not been read. */
    hasMore: cursor !== null && (older.data === undefined || older.hasNextPage),
    isReading: older.isFetching,
    readMore: () => {
      setWantsOlder(true);
      if (older.hasNextPage) void older.fetchNextPage();
    },
  };
}

interface PagesProps {
  model: ReturnType<typeof useModel>;
  children: (rows: VersionView[]) => ReactNode;
}

/** Ten versions a page. */
export function VersionPages({ model, children }: PagesProps) {
  const { versions, hasMore, readMore } = model;
  const [page, setPage] = useState(1);
  // A deletion may leave fewer pages.
  const shown = Math.min(page, Math.max(1, Math.ceil(versions.length / PER_PAGE)));
  const show = (next: number) => {
    // The page after the next one is read before it is needed.
    if (hasMore && (next + 1) * PER_PAGE > versions.length) readMore();
    setPage(next);
  };
  return (
    <div aria-busy={model.isReading}>
      {children(versions.slice((shown - 1) * PER_PAGE, shown * PER_PAGE))}
      <Pager page={shown} hasNext={shown * PER_PAGE < versions.length} onPage={show} />
    </div>
  );
}

/** Who trained each version, by version. Empty for accounts that may not read jobs; old jobs may be deleted. */
export function useVersionAuthors(name: string): ReadonlyMap<number, string> {
  const state = useSession();
  const jobs = useQuery({ ...queries.publications(name), enabled: mayRead(state, "training") });
  const { nameOf } = useAccountNames();
  const published = jobs.data?.items.filter(({ model }) => model?.name === name) ?? [];
  return new Map(published.map(({ model, created_by }) => [model?.version ?? 0, nameOf(created_by)]));
}

/** When a version was trained, and by whom. */
export function Trained({ at, by }: { at: string; by: string | undefined }) {
  return (
    <>
      <Time at={at} />
      {by && <span className="block max-w-40 truncate text-xs text-soft" title={by}>{`by ${by}`}</span>}
    </>
  );
}
