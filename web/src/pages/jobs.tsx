import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { operate } from "../api/operate-queries";
import { formatCount } from "../lib/format";
import type { JobFilter } from "../lib/job-filter";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";
import { buttonClass } from "../ui/button";
import { Page } from "../ui/page";
import { ActionProgress } from "./bulk-action";
import { JobFilters } from "./job-filters";
import { JobTable } from "./job-table";

export function JobsPage() {
  const { action, ...filter } = useSearch({ from: "/shell/jobs" });
  const navigate = useNavigate({ from: "/jobs" });
  const admin = isAdmin(useSession());
  const [updated, setUpdated] = useState({ at: Date.now(), stale: false });
  const change = (next: JobFilter, of = action) =>
    void navigate({ search: { ...next, ...(of ? { action: of } : {}) }, replace: true });
  const train = admin && (
    <Link to="/train" className={buttonClass("primary")}>
      Train a model
    </Link>
  );
  return (
    <Page title="Jobs" about={<Note filter={filter} {...updated} />} actions={train}>
      <JobFilters filter={filter} onChange={(next) => change(next)} />
      {action && <ActionProgress key={action} id={action} onClose={() => change(filter, "")} />}
      <JobTable
        // A new filter is a new list.
        key={JSON.stringify(filter)}
        filter={filter}
        empty={train}
        onClear={() => change({})}
        onAction={(id) => change(filter, id)}
        onUpdate={setUpdated}
      />
    </Page>
  );
}

/** How many jobs match, and whether the list is live. */
function Note({ filter, at, stale }: { filter: JobFilter; at: number; stale: boolean }) {
  const count = useQuery(operate.count(filter));
  const [late, setLate] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each update starts the time again
  useEffect(() => {
    setLate(false);
    const timer = setTimeout(() => setLate(true), 10_000);
    return () => clearTimeout(timer);
  }, [at]);
  const number = count.data && `${formatCount(count.data.count)}${count.data.more ? "+" : ""}`;
  return (
    <>
      {number && <span className="tabular-nums">{number === "1" ? "1 job" : `${number} jobs`}, </span>}
      {stale || late ? "not up to date." : "newest first, live."}
    </>
  );
}
