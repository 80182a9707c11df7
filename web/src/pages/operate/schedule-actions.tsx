import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../../api/client";
import type { ScheduleView } from "../../api/operate-queries";
import { exactTime } from "../../lib/time";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Time } from "../../ui/time";
import { toast } from "../../ui/toast";

/** The next time; the tooltip has all known ones. */
export function NextTimes({ times }: { times: string[] }) {
  if (times.length === 0) return <span className="text-soft">never</span>;
  return (
    <span title={times.map(exactTime).join("\n")}>
      <Time at={times[0]} bare />
    </span>
  );
}

/** Run now, pause or resume, delete. */
export function ScheduleActions({ schedule, onDeleted }: { schedule: ScheduleView; onDeleted?: () => void }) {
  const client = useQueryClient();
  const [deleting, setDeleting] = useState(false);
  const { name, paused } = schedule;
  const params = { path: { id: schedule.id } };
  const settled = { onError: toast.failed, onSettled: () => client.invalidateQueries({ queryKey: ["schedules"] }) };
  const trigger = useMutation({
    mutationFn: () => data(api.POST("/schedules/{id}/trigger", { params })),
    onSuccess: () => toast.done(`${name}: a job of ${schedule.spec.name} is queued.`),
    ...settled,
  });
  const pause = useMutation({
    mutationFn: () => data(api.PATCH("/schedules/{id}", { params, body: { paused: !paused } })),
    onSuccess: () => toast.done(paused ? `${name} is active again.` : `${name} is paused.`),
    ...settled,
  });
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/schedules/{id}", { params })),
    onSuccess: () => {
      toast.done(`Deleted the schedule ${name}.`);
      setDeleting(false);
      onDeleted?.();
    },
    ...settled,
  });
  return (
    <span className="inline-flex flex-wrap justify-end gap-2">
      <Button busy={trigger.isPending} aria-label={`Run now: ${name}`} onClick={() => trigger.mutate()}>
        Run now
      </Button>
      <Button
        busy={pause.isPending}
        aria-label={`${paused ? "Resume" : "Pause"}: ${name}`}
        onClick={() => pause.mutate()}
      >
        {paused ? "Resume" : "Pause"}
      </Button>
      <Button look="quiet" aria-label={`Delete: ${name}`} onClick={() => setDeleting(true)}>
        Delete
      </Button>
      {deleting && (
        <Dialog
          title={`Delete the schedule ${name}?`}
          action="Delete for good"
          danger
          busy={remove.isPending}
          onAction={() => remove.mutate()}
          onClose={() => setDeleting(false)}
        >
          <p className="text-left whitespace-normal">
            No further job is submitted, and the list of its runs is deleted. Its jobs stay; queued and running jobs
            continue.
          </p>
        </Dialog>
      )}
    </span>
  );
}
