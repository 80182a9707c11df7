import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../api/client";
import { isMissing } from "../api/problem";
import { queries } from "../api/queries";
import { PRODUCTION } from "../lib/models";
import { type AliasMoveView, guardText, reasonOf } from "../lib/traffic";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { MoreButton } from "../ui/more";
import { Panel } from "../ui/page";
import { ErrorState, Loading } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Time } from "../ui/time";
import { toast } from "../ui/toast";
import { useAccountNames } from "./use-account-names";

interface Props {
  name: string;
  /** The version of each alias. */
  aliases: Record<string, number>;
  /** Whether weights decide instead of `production`. */
  overridden: boolean;
  admin: boolean;
  /** Called with the version after a rollback. */
  onMoved: (version: number) => void;
}

/** Which version an alias had, and when: at first `production`. */
export function History({ name, aliases, overridden, admin, onMoved }: Props) {
  const [chosen, setAlias] = useState(PRODUCTION);
  const others = Object.keys(aliases).filter((alias) => alias !== PRODUCTION);
  // An alias may have been removed since.
  const alias = others.includes(chosen) ? chosen : PRODUCTION;
  const current = aliases[alias];
  const history = useInfiniteQuery(queries.aliasHistory(name, alias));
  const { nameOf } = useAccountNames();
  const [rollingBack, setRollingBack] = useState(false);
  const moves = history.data?.pages.flatMap((page) => page.items) ?? [];
  const columns: Column<AliasMoveView>[] = [
    { name: "When", cell: ({ moved_at }) => <Time at={moved_at} /> },
    { name: "Version", cell: ({ to }) => <span className="font-medium">{to === null ? "none" : `v${to}`}</span> },
    { name: "Before", cell: ({ from }) => (from === null ? "–" : `v${from}`), wide: true },
    {
      name: "Why",
      cell: (change) => (
        <>
          {reasonOf(change)}
          {(change.guard || change.detail) && (
            <span className="block max-w-96 text-xs break-words text-soft">
              {change.guard ? guardText(change.guard) : change.detail}
            </span>
          )}
        </>
      ),
    },
    {
      name: "Who",
      cell: ({ moved_by }) => (moved_by ? nameOf(moved_by) : "the server"),
      wide: true,
    },
  ];
  const mayRollBack = admin && current !== undefined && moves.length > 1;
  return (
    <Panel
      title={`History of ${alias}`}
      aside={
        <span className="flex flex-wrap gap-2">
          {others.length > 0 && (
            <select
              className="control w-auto"
              aria-label="Alias"
              value={alias}
              onChange={(event) => setAlias(event.target.value)}
            >
              {[PRODUCTION, ...others].map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
          {mayRollBack && <Button onClick={() => setRollingBack(true)}>Roll back {alias}</Button>}
        </span>
      }
    >
      {isMissing(history.error) ? (
        <p className="text-soft">No version was ever in production.</p>
      ) : history.isError && moves.length === 0 ? (
        <ErrorState error={history.error} retry={() => void history.refetch()} />
      ) : history.isPending ? (
        <Loading rows={3} />
      ) : (
        <>
          <Table label={`Changes of ${alias}`} columns={columns} rows={moves} rowKey={({ number }) => String(number)} />
          <MoreButton list={history} />
        </>
      )}
      {rollingBack && current !== undefined && (
        <RollBack
          name={name}
          alias={alias}
          current={current}
          overridden={overridden && alias === PRODUCTION}
          onMoved={onMoved}
          onClose={() => setRollingBack(false)}
        />
      )}
    </Panel>
  );
}

interface RollBackProps {
  name: string;
  alias: string;
  /** The version of the alias. */
  current: number;
  overridden: boolean;
  onMoved: (version: number) => void;
  onClose: () => void;
}

function RollBack({ name, alias, current, overridden, onMoved, onClose }: RollBackProps) {
  const client = useQueryClient();
  const rollBack = useMutation({
    mutationFn: () => {
      // The version that the page shows: a rollback by somebody else must not be repeated.
      const query = overridden ? { from: current, force: true } : { from: current };
      return data(api.POST("/models/{name}/aliases/{alias}/rollback", { params: { path: { name, alias }, query } }));
    },
    onSuccess: ({ version }) => {
      if (alias === PRODUCTION) onMoved(version);
      toast.done(`${alias} of ${name} is version ${version} again.`);
    },
    onError: toast.failed,
    onSettled: () => {
      onClose();
      return client.invalidateQueries({ queryKey: ["models"] });
    },
  });
  return (
    <Dialog
      title={`Roll back ${alias} of ${name}?`}
      action="Roll back"
      busy={rollBack.isPending}
      onAction={() => rollBack.mutate()}
      onClose={onClose}
    >
      <p>
        The alias {alias} returns from v{current} to the version before. Predictions change at once.
      </p>
      {overridden && <p>The weights of the traffic are deleted, because they decide instead of production.</p>}
    </Dialog>
  );
}
