import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, data } from "../../api/client";
import { type DeliveryStatus, type DeliveryView, operate } from "../../api/operate-queries";
import { messageOf } from "../../api/problem";
import { isAdmin } from "../../session/session";
import { useSession } from "../../session/use-session";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Code } from "../../ui/code";
import { Dialog } from "../../ui/dialog";
import { Facts } from "../../ui/page";
import { Time } from "../../ui/time";
import { toast } from "../../ui/toast";

const TONES = { pending: "warn", delivered: "good", failed: "bad" } as const;

export function DeliveryBadge({ status }: { status: DeliveryStatus }) {
  return <Badge tone={TONES[status]}>{status}</Badge>;
}

/** Sends the webhook again, with all of its attempts. */
export function Replay({ delivery }: { delivery: DeliveryView }) {
  const admin = isAdmin(useSession());
  const client = useQueryClient();
  const replay = useMutation({
    mutationFn: () => data(api.POST("/webhooks/deliveries/{id}/replay", { params: { path: { id: delivery.id } } })),
    onSuccess: () => toast.done("The webhook is sent again."),
    onError: toast.failed,
    onSettled: () => client.invalidateQueries({ queryKey: ["deliveries"] }),
  });
  if (!admin || delivery.status === "pending") return null;
  return (
    <Button busy={replay.isPending} aria-label={`Replay ${delivery.event}`} onClick={() => replay.mutate()}>
      Replay
    </Button>
  );
}

/** Everything about one delivery. */
export function DeliveryDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const delivery = useQuery(operate.delivery(id));
  const found = delivery.data;
  return (
    <Dialog title="Delivery of a webhook" action="Close" dismiss="" wide onAction={onClose} onClose={onClose}>
      {delivery.error && !found ? (
        <p role="alert" className="text-bad">
          {messageOf(delivery.error)}
        </p>
      ) : !found ? (
        <p aria-busy="true">Loading</p>
      ) : (
        <div className="space-y-4 text-ink">
          <p className="break-all">
            {found.url ?? "The URL is visible for administrators and the submitter of the job."}
          </p>
          <Facts
            items={[
              ["Status", <DeliveryBadge key="status" status={found.status} />],
              ["Event", found.event],
              ["Attempts", found.attempts],
              ["Last answer", found.last_status ? `HTTP ${found.last_status}` : "–"],
              ["Created", <Time key="created" at={found.created_at} />],
              ["Next attempt", <Time key="next" at={found.next_attempt_at} />],
              ["Ended", <Time key="ended" at={found.finished_at} />],
            ]}
          />
          {found.last_error && <p className="break-words text-bad">{found.last_error}</p>}
          <div className="max-h-72 overflow-auto">
            <Code label="Body of the request" text={JSON.stringify(found.payload, null, 2)} />
          </div>
          <p className="font-mono text-xs break-all text-soft">webhook-id {found.id}</p>
          <Replay delivery={found} />
        </div>
      )}
    </Dialog>
  );
}
