import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data } from "../api/client";
import { PRODUCTION } from "../lib/models";
import { Dialog } from "../ui/dialog";
import { toast } from "../ui/toast";

interface Props {
  name: string;
  version: number;
  onMoved: (version: number) => void;
  onClose: () => void;
}

/** Asks before a promotion that deletes the weights of the traffic. */
export function PromoteDialog({ name, version, onMoved, onClose }: Props) {
  const client = useQueryClient();
  const promote = useMutation({
    mutationFn: () =>
      data(
        api.PUT("/models/{name}/aliases/{alias}", {
          params: { path: { name, alias: PRODUCTION }, query: { force: true } },
          body: { version },
        }),
      ),
    onSuccess: () => {
      onMoved(version);
      toast.done(`${PRODUCTION} of ${name} is now version ${version}; the weights are deleted.`);
    },
    onError: toast.failed,
    onSettled: () => {
      onClose();
      return client.invalidateQueries({ queryKey: ["models"] });
    },
  });
  return (
    <Dialog
      title={`Make v${version} the only version of ${name}?`}
      action="Promote"
      busy={promote.isPending}
      onAction={() => promote.mutate()}
      onClose={onClose}
    >
      <p>
        Requests are distributed by weights. The weights are deleted, and v{version} answers all requests without a
        version.
      </p>
    </Dialog>
  );
}
