import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { queries } from "../api/queries";
import { formatAlgorithm, formatMetric, formatMetricName, plural } from "../lib/format";
import { headline, type ModelView, metricsOf, PRODUCTION, productionFirst } from "../lib/models";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";
import { Badge } from "../ui/badge";
import { buttonClass } from "../ui/button";
import { Page } from "../ui/page";
import { EmptyState, ErrorState, Loading } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { Trained, useAuthors } from "./model-versions";

const PER_PAGE = 10;

const columnsOf = (authorOf: ReturnType<typeof useAuthors>): Column<ModelView>[] => [
  {
    name: "Model",
    cell: ({ name }) => (
      <Link to="/models/$name" params={{ name }} className="block min-w-28 font-medium break-all hover:underline">
        {name}
      </Link>
    ),
  },
  { name: "Aliases", cell: ({ aliases }) => <Aliases aliases={aliases} /> },
  { name: "Newest", cell: ({ latest }) => (latest ? `v${latest.version}` : "–"), numeric: true, wide: true },
  { name: "Algorithm", cell: ({ latest }) => (latest ? formatAlgorithm(latest.algorithm) : "–"), wide: true },
  { name: "Metric", cell: ({ latest }) => <Headline metrics={latest?.metrics} />, wide: true },
  { name: "Dataset", cell: ({ latest }) => latest?.dataset ?? "–", wide: true },
  {
    name: "Trained",
    cell: ({ name, latest, created_at }) => (
      <Trained at={latest?.created_at ?? created_at} by={latest ? authorOf(name, latest.version) : null} />
    ),
    wide: true,
  },
  {
    name: "Predict",
    hiddenName: true,
    numeric: true,
    cell: ({ name, aliases }) =>
      PRODUCTION in aliases && (
        <Link
          to="/predict"
          search={{ model: name }}
          className="font-medium text-accent hover:underline"
          aria-label={`Predict with ${name}`}
        >
          Predict
        </Link>
      ),
  },
];

function Aliases({ aliases }: { aliases: Record<string, number> }) {
  const names = Object.entries(aliases);
  if (names.length === 0) return <span className="text-soft">–</span>;
  return (
    <span className="flex flex-wrap gap-1">
      {names.map(([alias, version]) => (
        <Badge key={alias} tone={alias === PRODUCTION ? "good" : "neutral"}>
          {alias} v{version}
        </Badge>
      ))}
    </span>
  );
}

function Headline({ metrics }: { metrics: unknown }) {
  const found = headline(metricsOf(metrics));
  if (!found) return <>–</>;
  return (
    <span className="whitespace-nowrap">
      <span className="text-soft">{formatMetricName(found.name)}</span>{" "}
      <span className="tabular-nums">{formatMetric(found.value)}</span>
    </span>
  );
}

export function ModelsPage() {
  const { q, page = 1 } = useSearch({ from: "/shell/models" });
  const navigate = useNavigate({ from: "/models" });
  const admin = isAdmin(useSession());
  const models = useQuery(queries.models());
  const found = productionFirst(models.data ?? []).filter(({ name }) => name.includes((q ?? "").trim().toLowerCase()));
  // A filter or a deletion may leave fewer pages than the URL names.
  const shown = Math.min(page, Math.max(1, Math.ceil(found.length / PER_PAGE)));
  const rows = found.slice((shown - 1) * PER_PAGE, shown * PER_PAGE);
  const authorOf = useAuthors(rows.map(({ name }) => name));
  return (
    <Page
      title="Models"
      about={models.data ? plural(models.data.length, "model") : "Trained models with their versions"}
      actions={
        admin && (
          <Link to="/train" className={buttonClass("primary")}>
            Train a model
          </Link>
        )
      }
    >
      {models.isError && !models.data ? (
        <ErrorState error={models.error} retry={() => void models.refetch()} />
      ) : models.isPending ? (
        <Loading rows={PER_PAGE} />
      ) : models.data.length === 0 ? (
        <EmptyState
          title="No models yet"
          action={
            admin && (
              <Link to="/train" className={buttonClass("primary")}>
                Train the first model
              </Link>
            )
          }
        >
          {admin
            ? "Choose a dataset and a target; the built-in dataset titanic is enough for a first try. The finished job publishes a version here."
            : "An administrator trains models. Each finished job publishes a version here, ready for predictions."}
        </EmptyState>
      ) : (
        <>
          <input
            type="search"
            className="control mb-3 max-w-xs"
            aria-label="Search models by name"
            placeholder="Search by name"
            value={q ?? ""}
            onChange={(event) => {
              const text = event.target.value;
              void navigate({ search: text ? { q: text } : {}, replace: true });
            }}
          />
          {rows.length === 0 ? (
            <EmptyState title="No model has this name">Change or clear the search.</EmptyState>
          ) : (
            <Table label="Models" columns={columnsOf(authorOf)} rows={rows} rowKey={({ name }) => name} />
          )}
          <Pager
            page={shown}
            hasNext={shown * PER_PAGE < found.length}
            onPage={(next) => void navigate({ search: { ...(q ? { q } : {}), ...(next > 1 ? { page: next } : {}) } })}
          />
        </>
      )}
    </Page>
  );
}
