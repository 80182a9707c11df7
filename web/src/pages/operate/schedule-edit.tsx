import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../../api/client";
import type { ScheduleView } from "../../api/operate-queries";
import { fieldsOf, messageOf } from "../../api/problem";
import type { Times } from "../../lib/schedule";
import { Dialog } from "../../ui/dialog";
import { Problem } from "../../ui/form";
import { toast } from "../../ui/toast";
import { TIMES_FIELDS, TimesFields } from "./schedule-times";

/** Changes the times of a schedule. What it trains stays: another job makes another schedule. */
export function EditSchedule({ schedule, onClose }: { schedule: ScheduleView; onClose: () => void }) {
  const client = useQueryClient();
  const { cron, timezone, overlap, catch_up } = schedule;
  const [times, setTimes] = useState<Times>({ cron, timezone, overlap, catch_up });
  const save = useMutation({
    mutationFn: () => data(api.PATCH("/schedules/{id}", { params: { path: { id: schedule.id } }, body: times })),
    onSuccess: () => {
      toast.done(`The times of ${schedule.name} are changed.`);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["schedules"] }),
  });
  const refused = fieldsOf(save.error);
  const isShown = Object.keys(refused).some((field) => TIMES_FIELDS.includes(field));
  return (
    <Dialog
      title={`Times of ${schedule.name}`}
      action="Change"
      dismiss="Cancel"
      wide
      busy={save.isPending}
      disabled={!times.cron.trim()}
      onAction={() => save.mutate()}
      onClose={onClose}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <TimesFields
          times={times}
          errors={refused}
          onChange={(changes) => setTimes((before) => ({ ...before, ...changes }))}
        />
      </div>
      {save.error && !isShown && <Problem>{messageOf(save.error)}</Problem>}
    </Dialog>
  );
}
