import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data } from "../api/client";
import { type GuardRequest, NEW_GUARD } from "../lib/guard";
import { PRODUCTION } from "../lib/models";
import { Dialog } from "../ui/dialog";
import { Problem } from "../ui/form";
import { toast } from "../ui/toast";
import { GuardFields } from "./guard-fields";
import { useGuardForm } from "./use-guard-form";

interface WatchProps {
  name: string;
  /** The version of `production`. */
  served: number;
  onClose: () => void;
}

/** Sets a guard on the version that is in production already. */
export function GuardProduction({ name, served, onClose }: WatchProps) {
  const client = useQueryClient();
  const guard = useGuardForm({ ...NEW_GUARD, enabled: true });
  const path = { name, alias: PRODUCTION };
  const watch = useMutation({
    mutationFn: async (limits: GuardRequest | null) => {
      // The request names the version: it must not promote a version that has been replaced meanwhile.
      const { aliases } = await data(api.GET("/models/{name}", { params: { path: { name }, query: { limit: 1 } } }));
      if (aliases[PRODUCTION] !== served) throw new Error(`v${served} is not in production any more.`);
      const body = { version: served, ...(limits ? { guard: limits } : {}) };
      await data(api.PUT("/models/{name}/aliases/{alias}", { params: { path }, body }));
    },
    onSuccess: () => {
      toast.done(`Version ${served} of ${name} is watched.`);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["models"] }),
  });
  const others = guard.othersOf(watch.error);
  return (
    <Dialog
      title={`Guard of v${served}, which is in production`}
      action="Set the guard"
      dismiss="Cancel"
      busy={watch.isPending}
      onAction={() => guard.submit(watch.mutate)}
      onClose={onClose}
    >
      <GuardFields
        form={guard.form}
        errors={guard.errorsOf(watch.error)}
        about={`If v${served} exceeds a limit, production returns to the version before.`}
        required
        onChange={guard.setForm}
      />
      {others.length > 0 && <Problem>{others.join("; ")}</Problem>}
    </Dialog>
  );
}

interface EndProps {
  name: string;
  of: "production" | "weights";
  onClose: () => void;
}

/** Ends the guard of production, or those of the weights; what they watch stays. */
export function EndGuards({ name, of, onClose }: EndProps) {
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () => (of === "production" ? endOfProduction(name) : endOfWeights(name)),
    onSuccess: (ended) => toast.done(ended ? "The guard is ended." : "The guard had ended already."),
    onError: toast.failed,
    onSettled: () => {
      onClose();
      return client.invalidateQueries({ queryKey: ["models"] });
    },
  });
  return (
    <Dialog
      title={of === "production" ? `End the guard of ${name}?` : `End the guards of the weights of ${name}?`}
      action="End"
      danger
      busy={end.isPending}
      onAction={() => end.mutate()}
      onClose={onClose}
    >
      <p>
        {of === "production"
          ? "The version stays in production. If it fails or is slow, a person must roll it back."
          : "The weights stay. If a version fails or is slow, a person must change them."}
      </p>
    </Dialog>
  );
}

/*
 * A guard ends with the same request without a guard. What is sent was read the moment before: the guard may have taken the
 * version back since the page was drawn, and the request must not bring the version back. False if there is no guard.
 */

async function endOfProduction(name: string): Promise<boolean> {
  const path = { name, alias: PRODUCTION };
  const params = { path, query: { limit: 1 } };
  const { items } = await data(api.GET("/models/{name}/aliases/{alias}/history", { params }));
  const version = items[0]?.guard && items[0].to;
  if (!version) return false;
  await data(api.PUT("/models/{name}/aliases/{alias}", { params: { path }, body: { version } }));
  return true;
}

async function endOfWeights(name: string): Promise<boolean> {
  const params = { path: { name } };
  const { guards, versions, shadow } = await data(api.GET("/models/{name}/traffic", { params }));
  if (guards.length === 0) return false;
  await data(api.PUT("/models/{name}/traffic", { params, body: { versions, shadow } }));
  return true;
}
