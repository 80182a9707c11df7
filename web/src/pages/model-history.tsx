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
  /** The version of `production`. */
  served: number | undefined;
  /** Whether weights decide instead of `production`. */
  overridden: boolean;
  admin: boolean;
  /** Called with the version after a rollback. */
  onMoved: (version: number) => void;
}

/** Which version was in production, and when. */
export function History({ name, served, overridden, admin, onMoved }: Props) {
  const history = useInfiniteQuery(queries.aliasHistory(name, PRODUCTION));
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
  const mayRollBack = admin && served !== undefined && moves.length > 1;
  return (
    <Panel
      title="History of production"
      aside={mayRollBack && <Button onClick={() => setRollingBack(true)}>Roll back production</Button>}
    >
      {isMissing(history.error) ? (
        <p className="text-soft">No version was ever in production.</p>
      ) : history.isError && moves.length === 0 ? (
        <ErrorState error={history.error} retry={() => void history.refetch()} />
      ) : history.isPending ? (
        <Loading rows={3} />
      ) : (
        <>
          <Table label="Changes of production" columns={columns} rows={moves} rowKey={({ number }) => String(number)} />
          <MoreButton list={history} />
        </>
      )}
      {rollingBack && served !== undefined && (
        <RollBack
          name={name}
          served={served}
          overridden={overridden}
          onMoved={onMoved}
          onClose={() => setRollingBack(false)}
        />
      )}
    </Panel>
  );
}

interface RollBackProps {
  name: string;
  served: number;
  overridden: boolean;
  onMoved: (version: number) => void;
  onClose: () => void;
}

function RollBack({ name, served, overridden, onMoved, onClose }: RollBackProps) {
  const client = useQueryClient();
  const rollBack = useMutation({
    mutationFn: () => {
      const path = { name, alias: PRODUCTION };
      // The version that the page shows: a rollback by somebody else must not be repeated.
      const query = overridden ? { from: served, force: true } : { from: served };
      return data(api.POST("/models/{name}/aliases/{alias}/rollback", { params: { path, query } }));
    },
    onSuccess: ({ version }) => {
      onMoved(version);
      toast.done(`${PRODUCTION} of ${name} is version ${version} again.`);
    },
    onError: toast.failed,
    onSettled: () => {
      onClose();
      return client.invalidateQueries({ queryKey: ["models"] });
    },
  });
  return (
    <Dialog
      title={`Roll back production of ${name}?`}
      action="Roll back"
      busy={rollBack.isPending}
      onAction={() => rollBack.mutate()}
      onClose={onClose}
    >
      <p>Production returns from v{served} to the version before. Predictions change at once.</p>
      {overridden && <p>The weights of the traffic are deleted, because they decide instead of production.</p>}
    </Dialog>
  );
}
