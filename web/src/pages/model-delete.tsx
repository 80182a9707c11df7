import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../api/client";
import { formatBytes, plural } from "../lib/format";
import type { VersionView } from "../lib/models";
import type { TrafficView } from "../lib/traffic";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { toast } from "../ui/toast";

export type Deletion = { kind: "model" } | { kind: "version"; version: VersionView };

interface Props {
  name: string;
  versions: VersionView[];
  aliases: Record<string, number>;
  traffic: TrafficView | undefined;
  /** Whether the model has more versions than these. */
  more: boolean;
  deletion: Deletion;
  onClose: () => void;
  onDeleted: () => void;
}

/** Lists what is deleted. If a version serves by an alias or by the traffic, the name of the model must be typed. */
export function DeleteDialog({ name, versions, aliases, traffic, more, deletion, onClose, onDeleted }: Props) {
  const client = useQueryClient();
  const [typed, setTyped] = useState("");
  const gone = deletion.kind === "model" ? versions : [deletion.version];
  const lost = Object.entries(aliases).filter(([, version]) => gone.some((one) => one.version === version));
  const isGone = (version: number) => deletion.kind === "model" || gone.some((one) => one.version === version);
  const weighted = Object.keys(traffic?.versions ?? {}).map(Number);
  const weights = weighted.some(isGone) ? weighted : [];
  const shadows = (traffic?.shadow ?? []).filter(isGone);
  const force = lost.length > 0 || weights.length > 0 || shadows.length > 0;
  const subject = deletion.kind === "model" ? `the model ${name}` : `version ${deletion.version.version} of ${name}`;
  const remove = useMutation({
    mutationFn: async () => {
      const query = force ? { force } : {};
      if (deletion.kind === "model") {
        await data(api.DELETE("/models/{name}", { params: { path: { name }, query } }));
      } else {
        const path = { name, version: deletion.version.version };
        await data(api.DELETE("/models/{name}/versions/{version}", { params: { path, query } }));
      }
    },
    onSuccess: () => {
      toast.done(`Deleted ${subject}.`);
      onDeleted();
    },
    onError: (error) => {
      toast.failed(error);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["models"] }),
  });
  return (
    <Dialog
      title={`Delete ${subject}?`}
      action="Delete for good"
      danger
      busy={remove.isPending}
      disabled={force && typed !== name}
      onAction={() => remove.mutate()}
      onClose={onClose}
    >
      <p>This can't be undone. These are deleted:</p>
      <ul className="list-disc space-y-0.5 pl-5 text-ink">
        <li>
          {plural(gone.length, "version")}
          {more && deletion.kind === "model" && " and all older ones"}:{" "}
          {gone
            .slice(0, 8)
            .map(({ version }) => `v${version}`)
            .join(", ")}
          {gone.length > 8 && ", …"}
        </li>
        <li>{formatBytes(gone.reduce((sum, { size }) => sum + size, 0))} of model files</li>
        {lost.map(([alias, version]) => (
          <li key={alias}>
            the alias <strong>{alias}</strong>, which points at v{version}
          </li>
        ))}
        {weights.length > 0 && <li>the weights of {weights.map((version) => `v${version}`).join(", ")}</li>}
        {shadows.length > 0 && (
          <li>copies of requests for {shadows.map((version) => `v${version}`).join(", ")}, which compare it</li>
        )}
      </ul>
      {force && (
        <>
          {lost.length > 0 && <p>Predictions that use {lost.length === 1 ? "this alias" : "these aliases"} stop.</p>}
          <Field label={`Type ${name} to confirm`}>
            {(props) => (
              <input
                {...props}
                className="control"
                autoComplete="off"
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
              />
            )}
          </Field>
        </>
      )}
    </Dialog>
  );
}
