import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data } from "../api/client";
import { type GuardRequest, NEW_GUARD } from "../lib/guard";
import { isRollback, PRODUCTION } from "../lib/models";
import { Dialog } from "../ui/dialog";
import { Problem } from "../ui/form";
import { toast } from "../ui/toast";
import { GuardFields } from "./guard-fields";
import { useGuardForm } from "./use-guard-form";

interface Props {
  name: string;
  version: number;
  /** The version of `production`. */
  served: number | undefined;
  /** Whether the traffic has weights, which decide instead of `production`. */
  overridden: boolean;
  /** Called before `production` moves to the version. */
  onMove: (version: number) => void;
  onClose: () => void;
}

/** Asks before a version gets `production`: what changes, and whether a guard takes the version back. */
export function PromoteDialog({ name, version, served, overridden, onMove, onClose }: Props) {
  const client = useQueryClient();
  const guard = useGuardForm(NEW_GUARD);
  const word = isRollback(version, served) ? "Roll back" : "Promote";
  const promote = useMutation({
    mutationFn: (limits: GuardRequest | null) =>
      data(
        api.PUT("/models/{name}/aliases/{alias}", {
          params: { path: { name, alias: PRODUCTION }, query: overridden ? { force: true } : {} },
          body: { version, ...(limits ? { guard: limits } : {}) },
        }),
      ),
    onMutate: () => onMove(version),
    onSuccess: () => {
      const more = overridden ? " The weights are deleted." : "";
      toast.done(`${PRODUCTION} of ${name} is now version ${version}.${more}`);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["models"] }),
  });
  const others = guard.othersOf(promote.error);
  return (
    <Dialog
      title={word === "Promote" ? `Promote v${version} of ${name}?` : `Roll ${name} back to v${version}?`}
      action={word}
      dismiss="Cancel"
      busy={promote.isPending}
      disabled={served === version && !overridden}
      onAction={() => guard.submit(promote.mutate)}
      onClose={onClose}
    >
      <p>
        {overridden
          ? `Requests are distributed by weights now. The weights are deleted, and v${version} answers all requests that name no version.`
          : served === undefined
            ? `No version is in production. v${version} answers all requests that name no version.`
            : served === version
              ? `v${version} is in production already.`
              : `v${version} replaces v${served} within moments, for all requests that name no version.`}
      </p>
      {served !== undefined && (
        <GuardFields
          form={guard.form}
          errors={guard.errorsOf(promote.error)}
          about={`If v${version} exceeds a limit, production returns to v${served}.`}
          onChange={guard.setForm}
        />
      )}
      {others.length > 0 && <Problem>{others.join("; ")}</Problem>}
    </Dialog>
  );
}
