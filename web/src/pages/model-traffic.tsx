import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../api/client";
import { formOfGuards, type GuardRequest } from "../lib/guard";
import { PRODUCTION, type VersionView } from "../lib/models";
import { formatShare, formOf, requestOf, sharesOf, type TrafficView } from "../lib/traffic";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Problem } from "../ui/form";
import { Panel } from "../ui/page";
import { type Column, Table } from "../ui/table";
import { toast } from "../ui/toast";
import { GuardFields } from "./guard-fields";
import { useGuardForm } from "./use-guard-form";

interface Props {
  name: string;
  versions: VersionView[];
  traffic: TrafficView;
  /** The version of `production`. */
  served: number | undefined;
  admin: boolean;
}

interface Row {
  version: number;
  /** `null` for a shadow version. */
  share: number | null;
  isWatched: boolean;
}

/** Which versions answer requests without a version, and which ones get copies. */
export function Traffic({ name, versions, traffic, served, admin }: Props) {
  const [editing, setEditing] = useState(false);
  const [stopping, setStopping] = useState(false);
  const watched = new Set(traffic.guards.map(({ version }) => version));
  const weighted = sharesOf(traffic.versions);
  const rows: Row[] = [
    ...weighted.map(({ version, share }) => ({ version, share, isWatched: watched.has(version) })),
    ...traffic.shadow.map((version) => ({ version, share: null, isWatched: false })),
  ];
  const columns: Column<Row>[] = [
    {
      name: "Version",
      cell: ({ version, isWatched }) => (
        <span className="flex flex-wrap items-center gap-1.5">
          <span className="font-medium">v{version}</span>
          {version === served && <Badge tone="good">{PRODUCTION}</Badge>}
          {isWatched && <Badge tone="busy">watched by a guard</Badge>}
        </span>
      ),
    },
    {
      name: "Requests",
      cell: ({ share }) => (share === null ? <Badge tone="neutral">copies only</Badge> : formatShare(share)),
      numeric: true,
    },
  ];
  return (
    <Panel
      title="Traffic"
      aside={
        admin && (
          <span className="flex gap-2">
            <Button onClick={() => setEditing(true)}>Change the traffic</Button>
            {rows.length > 0 && <Button onClick={() => setStopping(true)}>Delete the traffic</Button>}
          </span>
        )
      }
    >
      <p className={rows.length > 0 ? "mb-3 text-soft" : "text-soft"}>
        {weighted.length > 0
          ? "Requests without a version are distributed by these weights, instead of the version in production."
          : `Requests without a version are answered by ${served === undefined ? "nothing" : `v${served}`}, the version in production.`}
        {traffic.shadow.length > 0 && " Shadow versions get copies; their predictions are only compared."}
      </p>
      {rows.length > 0 && (
        <Table
          label="Versions in the traffic"
          columns={columns}
          rows={rows}
          rowKey={({ version }) => String(version)}
        />
      )}
      {editing && <EditTraffic name={name} versions={versions} traffic={traffic} onClose={() => setEditing(false)} />}
      {stopping && <StopTraffic name={name} served={served} onClose={() => setStopping(false)} />}
    </Panel>
  );
}

interface EditProps {
  name: string;
  versions: VersionView[];
  traffic: TrafficView;
  onClose: () => void;
}

function EditTraffic({ name, versions, traffic, onClose }: EditProps) {
  const client = useQueryClient();
  const [form, setForm] = useState(() => formOf(versions, traffic));
  const guard = useGuardForm(formOfGuards(traffic.guards));
  const save = useMutation({
    mutationFn: (limits: GuardRequest | null) => {
      const body = { ...requestOf(form), ...(limits ? { guard: limits } : {}) };
      return data(api.PUT("/models/{name}/traffic", { params: { path: { name } }, body }));
    },
    onSuccess: () => {
      toast.done(`The traffic of ${name} is changed.`);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["models"] }),
  });
  const request = requestOf(form);
  const empty = Object.keys(request.versions).length === 0 && request.shadow.length === 0;
  const change = (version: number, changes: { weight?: string; shadow?: boolean }) => {
    const entry = form.get(version);
    if (entry) setForm(new Map(form).set(version, { ...entry, ...changes }));
  };
  const others = guard.othersOf(save.error);
  const hasWeights = Object.keys(request.versions).length > 0;
  return (
    <Dialog
      title={`Traffic of ${name}`}
      action="Change"
      dismiss="Cancel"
      wide
      busy={save.isPending}
      disabled={empty}
      // Without weights there is nothing to watch.
      onAction={() => (hasWeights ? guard.submit(save.mutate) : save.mutate(null))}
      onClose={onClose}
    >
      <p>
        A version gets its weight divided by the sum of all weights. Without weights, production answers. A shadow
        version gets copies of the requests.
      </p>
      <table className="w-full">
        <thead>
          <tr className="text-left text-xs text-soft">
            <th scope="col" className="py-1 font-medium">
              Version
            </th>
            <th scope="col" className="px-3 font-medium">
              Weight
            </th>
            <th scope="col" className="font-medium">
              Shadow
            </th>
          </tr>
        </thead>
        <tbody>
          {[...form].map(([version, { weight, shadow }]) => (
            <tr key={version}>
              <th scope="row" className="py-1 text-left font-medium text-ink">
                v{version}
              </th>
              <td className="px-3">
                <input
                  className="control"
                  type="number"
                  min={0}
                  max={1_000_000}
                  aria-label={`Weight of version ${version}`}
                  value={weight}
                  onChange={(event) => change(version, { weight: event.target.value })}
                />
              </td>
              <td>
                <input
                  type="checkbox"
                  aria-label={`Version ${version} gets copies`}
                  checked={shadow}
                  onChange={(event) => change(version, { shadow: event.target.checked })}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {form.size < versions.length && (
        <Button
          look="quiet"
          // What has been typed stays.
          onClick={() => setForm(new Map([...formOf(versions, traffic, true), ...form].sort(([a], [b]) => b - a)))}
        >
          Show older versions
        </Button>
      )}
      {hasWeights && (
        <GuardFields
          form={guard.form}
          errors={guard.errorsOf(save.error)}
          about="Each version with a weight is watched, except the one in production. If one exceeds a limit, the weights are deleted, so that production answers."
          onChange={guard.setForm}
        />
      )}
      {others.length > 0 && <Problem>{others.join("; ")}</Problem>}
    </Dialog>
  );
}

interface StopProps {
  name: string;
  served: number | undefined;
  onClose: () => void;
}

function StopTraffic({ name, served, onClose }: StopProps) {
  const client = useQueryClient();
  const stop = useMutation({
    mutationFn: () => data(api.DELETE("/models/{name}/traffic", { params: { path: { name } } })),
    onSuccess: () => toast.done(`The traffic of ${name} is deleted; production answers.`),
    onError: toast.failed,
    onSettled: () => {
      onClose();
      return client.invalidateQueries({ queryKey: ["models"] });
    },
  });
  return (
    <Dialog
      title={`Delete the traffic of ${name}?`}
      action="Delete the traffic"
      busy={stop.isPending}
      onAction={() => stop.mutate()}
      onClose={onClose}
    >
      <p>
        {served === undefined
          ? "No version is in production, so requests without a version fail then."
          : `Then v${served}, the version in production, answers all requests without a version.`}
      </p>
    </Dialog>
  );
}
