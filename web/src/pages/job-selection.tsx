import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { operate } from "../api/operate-queries";
import { messageOf } from "../api/problem";
import type { JobView } from "../api/queries";
import { formatCount, plural } from "../lib/format";
import { type BulkAction, canChange, type JobFilter, narrowed } from "../lib/job-filter";
import { Button } from "../ui/button";
import { toast } from "../ui/toast";
import { BulkDialog } from "./bulk-action";
import { changeJob } from "./job-actions";

const ACTIONS: readonly BulkAction[] = ["cancel", "retry"];
const WORDS = { cancel: ["Cancel", "cancelled"], retry: ["Retry", "queued again"] } as const;
/** Requests that run at the same time. */
const PARALLEL = 4;

interface Props {
  filter: JobFilter;
  selected: ReadonlyMap<string, JobView>;
  /** A server-side action has started. */
  onAction: (actionId: string) => void;
  onClear: () => void;
}

/** The bar of the selection: the chosen jobs, or all that match. */
export function JobSelection({ filter, selected, onAction, onClear }: Props) {
  const client = useQueryClient();
  const count = useQuery(operate.count(filter));
  const [all, setAll] = useState(false);
  const [asked, setAsked] = useState<BulkAction | null>(null);
  const [done, setDone] = useState(0);
  const jobs = [...selected.values()];
  const run = useMutation({
    mutationFn: async ({ action, ids }: { action: BulkAction; ids: string[] }) => {
      setDone(0);
      const refused: string[] = [];
      const queue = [...ids];
      const work = async () => {
        for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
          await changeJob(action, id).catch((error: unknown) => refused.push(messageOf(error)));
          setDone((before) => before + 1);
        }
      };
      await Promise.all(Array.from({ length: PARALLEL }, work));
      return refused;
    },
    onSuccess: (refused, { action, ids }) => {
      const changed = ids.length - refused.length;
      if (changed > 0) toast.done(`${plural(changed, "job")} ${WORDS[action][1]}.`);
      if (refused.length > 0) toast.failed(new Error(`${plural(refused.length, "job")} not changed: ${refused[0]}`));
      onClear();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
  const total = count.data?.count ?? 0;
  const totalText = `${formatCount(total)}${count.data?.more ? "+" : ""}`;
  const narrow = asked && narrowed(filter, asked);
  return (
    <section
      aria-label="Selected jobs"
      className="appear card fixed inset-x-3 bottom-18 z-30 mx-auto flex w-fit max-w-[calc(100vw-1.5rem)] flex-wrap items-center gap-2 px-3 py-2 shadow-xl sm:bottom-6 sm:left-55"
    >
      <span role="status" className="font-medium tabular-nums">
        {run.isPending
          ? `${formatCount(done)} of ${formatCount(run.variables.ids.length)} done`
          : all
            ? `All ${totalText} jobs that match`
            : `${formatCount(selected.size)} selected`}
      </span>
      {!all && (total > selected.size || count.data?.more) && (
        <Button look="quiet" onClick={() => setAll(true)}>
          Select all {totalText} that match
        </Button>
      )}
      {ACTIONS.map((action) => {
        const ids = jobs.filter(({ status }) => canChange(action, status)).map(({ job_id }) => job_id);
        const possible = all ? narrowed(filter, action) !== null : ids.length > 0;
        return (
          <Button
            key={action}
            disabled={!possible || run.isPending}
            onClick={() => (all ? setAsked(action) : run.mutate({ action, ids }))}
          >
            {WORDS[action][0]}
            {!all && ids.length > 0 && ` ${formatCount(ids.length)}`}
          </Button>
        );
      })}
      <Button look="quiet" aria-label="End the selection" onClick={onClear}>
        ×
      </Button>
      {asked && narrow && (
        <BulkDialog
          action={asked}
          filter={narrow}
          onStarted={(id) => {
            setAsked(null);
            onAction(id);
          }}
          onClose={() => setAsked(null)}
        />
      )}
    </section>
  );
}
