import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../api/client";
import { fieldsOf, messageOf } from "../api/problem";
import { NAME_RULE, PRODUCTION, refuseAlias, type VersionView } from "../lib/models";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { Problem } from "../ui/form";
import { Select, TextInput } from "../ui/inputs";
import { Panel } from "../ui/page";
import { type Column, Table } from "../ui/table";
import { toast } from "../ui/toast";

interface Props {
  name: string;
  versions: VersionView[];
  /** The version of each alias. */
  aliases: Record<string, number>;
  admin: boolean;
}

interface Alias {
  alias: string;
  version: number;
}

/** The aliases of a model besides `production`, which has promotions. */
export function Aliases({ name, versions, aliases, admin }: Props) {
  const [moving, setMoving] = useState<Partial<Alias> | null>(null);
  const [removing, setRemoving] = useState<Alias | null>(null);
  const rows = Object.entries(aliases)
    .filter(([alias]) => alias !== PRODUCTION)
    .map(([alias, version]) => ({ alias, version }));
  const columns: Column<Alias>[] = [
    { name: "Alias", cell: ({ alias }) => <span className="font-medium break-all">{alias}</span> },
    { name: "Version", cell: ({ version }) => `v${version}` },
    {
      name: "Actions",
      hiddenName: true,
      numeric: true,
      cell: (row) =>
        admin && (
          <span className="flex justify-end gap-1">
            <Button aria-label={`Move the alias ${row.alias}`} onClick={() => setMoving(row)}>
              Move
            </Button>
            <Button look="quiet" aria-label={`Remove the alias ${row.alias}`} onClick={() => setRemoving(row)}>
              Remove
            </Button>
          </span>
        ),
    },
  ];
  return (
    <Panel title="Aliases" aside={admin && <Button onClick={() => setMoving({})}>Add an alias</Button>}>
      {rows.length === 0 ? (
        <p className="text-soft">
          An alias is a name for a version, such as <code>candidate</code>. A request that names the alias is answered
          by its version, also after the alias has moved to another one.
        </p>
      ) : (
        <Table label="Aliases of the model" columns={columns} rows={rows} rowKey={({ alias }) => alias} />
      )}
      {moving && (
        <MoveAlias name={name} versions={versions} aliases={aliases} initial={moving} onClose={() => setMoving(null)} />
      )}
      {removing && <RemoveAlias name={name} alias={removing.alias} onClose={() => setRemoving(null)} />}
    </Panel>
  );
}

interface MoveProps {
  name: string;
  versions: VersionView[];
  aliases: Record<string, number>;
  /** The alias to move; none to add one. */
  initial: Partial<Alias>;
  onClose: () => void;
}

function MoveAlias({ name, versions, aliases, initial, onClose }: MoveProps) {
  const client = useQueryClient();
  const isNew = initial.alias === undefined;
  const [alias, setAlias] = useState(initial.alias ?? "");
  const [version, setVersion] = useState(String(initial.version ?? versions[0]?.version ?? ""));
  const [checked, setChecked] = useState(false);
  const refusal = isNew ? refuseAlias(alias, Object.keys(aliases)) : null;
  const move = useMutation({
    mutationFn: () => {
      const path = { name, alias };
      return data(api.PUT("/models/{name}/aliases/{alias}", { params: { path }, body: { version: Number(version) } }));
    },
    onSuccess: () => {
      toast.done(`The alias ${alias} of ${name} is version ${version}.`);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["models"] }),
  });
  const refused = fieldsOf(move.error);
  return (
    <Dialog
      title={isNew ? "Add an alias" : `Move the alias ${alias}`}
      action={isNew ? "Add" : "Move"}
      dismiss="Cancel"
      busy={move.isPending}
      onAction={() => {
        setChecked(true);
        if (!refusal) move.mutate();
      }}
      onClose={onClose}
    >
      {isNew && (
        <Field label="Alias" hint={NAME_RULE} error={(checked && refusal) || refused.alias}>
          {(props) => <TextInput {...props} value={alias} onChange={(text) => setAlias(text.trim())} />}
        </Field>
      )}
      <Field label="Version" error={refused.version}>
        {(props) => (
          <Select
            {...props}
            options={versions.map((one): [string, string] => [String(one.version), `v${one.version}`])}
            value={version}
            onChange={setVersion}
          />
        )}
      </Field>
      {move.error && !refused.alias && !refused.version && <Problem>{messageOf(move.error)}</Problem>}
    </Dialog>
  );
}

function RemoveAlias({ name, alias, onClose }: { name: string; alias: string; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/models/{name}/aliases/{alias}", { params: { path: { name, alias } } })),
    onSuccess: () => toast.done(`The alias ${alias} of ${name} is removed.`),
    onError: toast.failed,
    onSettled: () => {
      onClose();
      return client.invalidateQueries({ queryKey: ["models"] });
    },
  });
  return (
    <Dialog
      title={`Remove the alias ${alias}?`}
      action="Remove"
      danger
      busy={remove.isPending}
      onAction={() => remove.mutate()}
      onClose={onClose}
    >
      <p>Requests that name the alias are refused from then on. The version stays.</p>
    </Dialog>
  );
}
