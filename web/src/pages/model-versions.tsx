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

/**
 * Who trained a version of one of these models; empty if that is not known, for example because the job was deleted. Null for
 * accounts that may not read jobs.
 */
export function useAuthors(names: readonly string[]): (name: string, version: number) => string | null {
  const state = useSession();
  const isAllowed = mayRead(state, "training");
  const jobs = useQuery({ ...queries.publications(names), enabled: isAllowed && names.length > 0 });
  const { nameOf } = useAccountNames();
  return (name, version) => {
    const job = jobs.data?.items.find(({ model }) => model?.name === name && model.version === version);
    return isAllowed ? (job ? nameOf(job.created_by) : "") : null;
  };
}

/** When a version was trained, and by whom. */
export function Trained({ at, by }: { at: string; by: string | null }) {
  return (
    <>
      <Time at={at} />
      {by !== null && (
        // The line has its place before the name arrives, so that nothing moves.
        <span className="block h-4 w-36 truncate text-xs text-soft" title={by}>
          {by && `by ${by}`}
        </span>
      )}
    </>
  );
}
