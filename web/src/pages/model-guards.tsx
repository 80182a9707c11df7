import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { operate } from "../api/operate-queries";
import { queries } from "../api/queries";
import { formatCount } from "../lib/format";
import { type GuardView, guardSummary, type LimitState, limitsOf } from "../lib/guard";
import { type PastGuard, pastGuards } from "../lib/guard-history";
import { PRODUCTION } from "../lib/models";
import type { TrafficView } from "../lib/traffic";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Panel } from "../ui/page";
import { type Column, Table } from "../ui/table";
import { Time } from "../ui/time";
import { EndGuards, GuardProduction } from "./guard-dialogs";
import { useAccountNames } from "./use-account-names";

interface Props {
  name: string;
  /** The version of `production`. */
  served: number | undefined;
  traffic: TrafficView;
  admin: boolean;
}

/** The active guards of a model, with what they have counted. */
export function Guards({ name, served, traffic, admin }: Props) {
  const history = useInfiniteQuery(queries.aliasHistory(name, PRODUCTION));
  const [dialog, setDialog] = useState<"watch" | "production" | "weights" | null>(null);
  const moves = history.data?.pages.flatMap((page) => page.items) ?? [];
  const ofProduction = moves[0]?.guard ?? null;
  const weighted = Object.keys(traffic.versions).length > 0;
  const isActive = ofProduction !== null || traffic.guards.length > 0;
  // Without a version before, a guard would have nothing to return to.
  const mayWatch = admin && served !== undefined && !weighted && !ofProduction && moves.length > 1;
  return (
    <Panel title="Guards" aside={mayWatch && <Button onClick={() => setDialog("watch")}>Set a guard</Button>}>
      <div className="space-y-5">
        {!isActive && (
          <p className="text-soft">
            No version is watched. A guard takes a version back automatically if too many of its predictions fail, or if
            they are slow.
            {admin && " Set one when you promote a version, or when you change the traffic."}
          </p>
        )}
        {ofProduction && (
          <Active
            label="Active guard of production"
            guards={[ofProduction]}
            about="If a limit is exceeded, production returns to the version before."
            onEnd={admin ? () => setDialog("production") : undefined}
          />
        )}
        {traffic.guards.length > 0 && (
          <Active
            label="Active guards of the weights"
            guards={traffic.guards}
            about="If one of these versions exceeds a limit, the weights are deleted, so that production answers."
            onEnd={admin ? () => setDialog("weights") : undefined}
          />
        )}
      </div>
      {dialog === "watch" && served !== undefined && (
        <GuardProduction name={name} served={served} onClose={() => setDialog(null)} />
      )}
      {(dialog === "production" || dialog === "weights") && (
        <EndGuards name={name} of={dialog} onClose={() => setDialog(null)} />
      )}
    </Panel>
  );
}

interface ActiveProps {
  label: string;
  guards: GuardView[];
  about: string;
  /** Undefined for accounts that may not end a guard. */
  onEnd: (() => void) | undefined;
}

const STATES: Record<LimitState["state"], { tone: "neutral" | "good" | "bad"; word: string }> = {
  waiting: { tone: "neutral", word: "too few predictions" },
  within: { tone: "good", word: "within the limit" },
  exceeded: { tone: "bad", word: "exceeded" },
};

interface Row extends LimitState {
  guard: GuardView;
}

const ACTIVE_COLUMNS: Column<Row>[] = [
  { name: "Version", cell: ({ guard }) => <span className="font-medium">v{guard.version}</span> },
  {
    name: "Predictions",
    cell: ({ guard: { requests, min_requests } }) =>
      requests < min_requests ? `${formatCount(requests)} of ${formatCount(min_requests)}` : formatCount(requests),
    numeric: true,
  },
  { name: "Limit", cell: ({ name, limit }) => `${name}: ${limit}`, wide: true },
  { name: "So far", cell: ({ name, found }) => <span className="block min-w-36">{`${name}: ${found}`}</span> },
  { name: "State", cell: ({ state }) => <Badge tone={STATES[state].tone}>{STATES[state].word}</Badge> },
  { name: "Ends", cell: ({ guard }) => <Time at={guard.ends_at} />, wide: true },
];

function Active({ label, guards, about, onEnd }: ActiveProps) {
  const rows = guards.flatMap((guard) => limitsOf(guard).map((limit) => ({ ...limit, guard })));
  return (
    <div>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
        <p className="text-soft">{about}</p>
        {onEnd && <Button onClick={onEnd}>{guards.length === 1 ? "End the guard" : "End the guards"}</Button>}
      </div>
      <Table
        label={label}
        columns={ACTIVE_COLUMNS}
        rows={rows}
        rowKey={({ guard, name }) => `${guard.version} ${name}`}
      />
    </div>
  );
}

const OUTCOMES: Record<PastGuard["outcome"], { tone: "neutral" | "good" | "bad"; word: string }> = {
  passed: { tone: "good", word: "passed" },
  exceeded: { tone: "bad", word: "limit exceeded" },
  changed: { tone: "neutral", word: "ended early" },
};

/** Earlier guards that are shown. */
const SHOWN = 10;

/** How the earlier guards of a model ended. For administrators, because it follows from the audit log. */
export function EarlierGuards({ name }: { name: string }) {
  const history = useInfiniteQuery(queries.aliasHistory(name, PRODUCTION));
  const changes = useQuery(operate.modelChanges(name));
  const { nameOf } = useAccountNames();
  const moves = history.data?.pages.flatMap((page) => page.items) ?? [];
  const guards = pastGuards(changes.data?.items ?? [], moves, new Date()).slice(0, SHOWN);
  const columns: Column<PastGuard>[] = [
    { name: "Ended", cell: ({ ended }) => <Time at={ended} /> },
    { name: "Watched", cell: ({ watched }) => <span className="font-medium">{watched}</span> },
    {
      name: "Outcome",
      cell: ({ outcome, why }) => (
        <>
          <Badge tone={OUTCOMES[outcome].tone}>{OUTCOMES[outcome].word}</Badge>
          {why && <span className="block max-w-96 text-xs break-words text-soft">{why}</span>}
        </>
      ),
    },
    {
      name: "Limits",
      cell: ({ limits }) => <span className="block max-w-72 text-xs text-soft">{guardSummary(limits)}</span>,
      wide: true,
    },
    { name: "Began", cell: ({ began }) => <Time at={began} />, wide: true },
    { name: "Set by", cell: ({ by }) => (by ? nameOf(by) : "–"), wide: true },
  ];
  if (guards.length === 0) return null;
  return (
    <Panel title="Earlier guards">
      <Table
        label="Guards that have ended"
        columns={columns}
        rows={guards}
        rowKey={({ watched, began }) => `${watched} ${began}`}
      />
    </Panel>
  );
}
