import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { isMissing } from "../api/problem";
import { queries } from "../api/queries";
import { formatAlgorithm, formatBytes, formatMetric, formatMetricName, plural } from "../lib/format";
import { headline, isRollback, metricsOf, PRODUCTION, type VersionView } from "../lib/models";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";
import { Badge } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { Page, Panel } from "../ui/page";
import { EmptyState, ErrorState, Loading } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Time } from "../ui/time";
import { toast } from "../ui/toast";
import { Aliases } from "./model-aliases";
import { Compare } from "./model-compare";
import { DeleteDialog, type Deletion } from "./model-delete";
import { Drift } from "./model-drift";
import { EarlierGuards, Guards } from "./model-guards";
import { History } from "./model-history";
import { PromoteDialog } from "./model-promote";
import { Traffic } from "./model-traffic";
import { Trained, useAuthors, useModel, VersionPages } from "./model-versions";
import { PredictDataset } from "./predict-dataset";
import { VersionMenu } from "./version-menu";

export function ModelPage() {
  const { name } = useParams({ from: "/shell/models/$name" });
  const admin = isAdmin(useSession());
  const navigate = useNavigate();
  const model = useModel(name);
  const traffic = useQuery(queries.traffic(name));
  const history = useInfiniteQuery(queries.aliasHistory(name, PRODUCTION));
  const authorOf = useAuthors([name]);
  /** The version that this page made the production version last. */
  const [own, setOwn] = useState<number | undefined>(undefined);
  const [deletion, setDeletion] = useState<Deletion | null>(null);
  const [promoting, setPromoting] = useState<number | null>(null);
  const [predicting, setPredicting] = useState(false);
  useForeignPromotion(name, model.data?.aliases[PRODUCTION], own);
  if (model.isError && (!model.data || isMissing(model.error))) {
    return (
      <Page title={name}>
        <ErrorState
          error={model.error}
          retry={() => void model.refetch()}
          back={
            <Link to="/models" className={buttonClass()}>
              All models
            </Link>
          }
        />
      </Page>
    );
  }
  // All at once, so that nothing moves when the last one arrives.
  if (model.isPending || traffic.isPending || history.isPending) {
    return (
      <Page title={name}>
        <Loading />
      </Page>
    );
  }
  const { versions } = model;
  const { aliases } = model.data;
  const served = aliases[PRODUCTION];
  const overridden = Object.keys(traffic.data?.versions ?? {}).length > 0;
  const metric = headline(metricsOf(versions[0]?.metrics))?.name ?? "metric";
  const columns: Column<VersionView>[] = [
    {
      name: "Version",
      cell: ({ version, aliases }) => (
        <span className="flex flex-wrap items-center gap-1.5">
          <span className="font-medium">v{version}</span>
          {aliases.map((alias) => (
            <Badge key={alias} tone={alias === PRODUCTION ? "good" : "neutral"}>
              {alias}
            </Badge>
          ))}
        </span>
      ),
    },
    {
      name: formatMetricName(metric),
      cell: ({ metrics }) => formatMetric(metricsOf(metrics)[metric]),
      numeric: true,
    },
    { name: "Algorithm", cell: ({ algorithm }) => formatAlgorithm(algorithm), wide: true },
    {
      name: "Dataset",
      cell: ({ dataset, dataset_version }) => (dataset ? `${dataset} v${dataset_version}` : "–"),
      wide: true,
    },
    { name: "Size", cell: ({ size }) => formatBytes(size), numeric: true, wide: true },
    {
      name: "Trained",
      cell: ({ version, created_at }) => <Trained at={created_at} by={authorOf(name, version)} />,
      wide: true,
    },
    {
      name: "Actions",
      hiddenName: true,
      cell: (version) => (
        <span className="flex justify-end gap-1">
          <Link
            to="/predict"
            search={{ model: name, version: version.version }}
            className={buttonClass("quiet", "max-sm:hidden")}
            aria-label={`Predict with version ${version.version}`}
          >
            Predict
          </Link>
          {admin && version.version !== served && (
            <Button
              aria-label={`${isRollback(version.version, served) ? "Roll back to" : "Promote"} version ${version.version}`}
              onClick={() => setPromoting(version.version)}
            >
              {isRollback(version.version, served) ? "Roll back" : "Promote"}
            </Button>
          )}
          <VersionMenu version={version} admin={admin} onDelete={() => setDeletion({ kind: "version", version })} />
        </span>
      ),
    },
  ];
  return (
    <Page
      title={name}
      heading={
        <>
          {name}
          {served !== undefined && <Badge tone="good">production v{served}</Badge>}
        </>
      }
      about={
        <>
          {plural(versions.length, "version")}
          {model.hasMore && " shown, more exist"} · first trained <Time at={model.data.created_at} />
        </>
      }
      actions={
        <>
          {served !== undefined && (
            <Link to="/predict" search={{ model: name }} className={buttonClass("primary")}>
              Predict
            </Link>
          )}
          {admin && served !== undefined && <Button onClick={() => setPredicting(true)}>Predict a dataset</Button>}
          {admin && versions[0] && (
            <Link to="/train" search={{ clone: versions[0].job_id }} className={buttonClass()}>
              Train a new version
            </Link>
          )}
          {admin && <Button onClick={() => setDeletion({ kind: "model" })}>Delete the model</Button>}
        </>
      }
    >
      {versions.length === 0 ? (
        <EmptyState title="All versions have been deleted">
          The model keeps its name. The next training job with this name publishes the next version.
        </EmptyState>
      ) : (
        <div className="space-y-4">
          <VersionPages model={model}>
            {(rows) => (
              <Table label="Versions" columns={columns} rows={rows} rowKey={({ version }) => String(version)} />
            )}
          </VersionPages>
          {traffic.isError && !traffic.data && (
            <ErrorState error={traffic.error} retry={() => void traffic.refetch()} />
          )}
          {traffic.data && (
            <>
              <Traffic name={name} versions={versions} traffic={traffic.data} served={served} admin={admin} />
              <Guards name={name} served={served} traffic={traffic.data} admin={admin} />
            </>
          )}
          <Panel title="Versions side by side">
            <Compare versions={versions} served={served} />
          </Panel>
          {served !== undefined && <Drift name={name} />}
          <Aliases name={name} versions={versions} aliases={aliases} admin={admin} />
          <History name={name} aliases={aliases} overridden={overridden} admin={admin} onMoved={setOwn} />
          {admin && <EarlierGuards name={name} />}
        </div>
      )}
      {predicting && <PredictDataset model={name} onClose={() => setPredicting(false)} />}
      {deletion && (
        <DeleteDialog
          name={name}
          versions={versions}
          aliases={aliases}
          traffic={traffic.data}
          more={model.hasMore}
          deletion={deletion}
          onClose={() => setDeletion(null)}
          onDeleted={() => {
            setDeletion(null);
            if (deletion.kind === "model") void navigate({ to: "/models" });
          }}
        />
      )}
      {promoting !== null && (
        <PromoteDialog
          name={name}
          version={promoting}
          served={served}
          overridden={overridden}
          onMove={setOwn}
          onClose={() => setPromoting(null)}
        />
      )}
    </Page>
  );
}

/** Reports that somebody else, a guard or a job has moved `production`. `own` is the version that this page promoted last. */
function useForeignPromotion(name: string, served: number | undefined, own: number | undefined): void {
  const last = useRef(served);
  useEffect(() => {
    const before = last.current;
    last.current = served;
    if (before === undefined || served === undefined || served === before || served === own) return;
    toast.done(`Version ${served} of ${name} is in production now. The history says who changed it, and why.`);
  }, [name, served, own]);
}
