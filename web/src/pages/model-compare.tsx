import { useQueries } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { queries } from "../api/queries";
import { formatAlgorithm, formatBytes, formatMetric, formatMetricName } from "../lib/format";
import {
  bestOf,
  crossValidated,
  type Metrics,
  metricNames,
  metricsOf,
  tunedThreshold,
  type VersionView,
} from "../lib/models";
import { mayRead } from "../session/session";
import { useSession } from "../session/use-session";
import { classes } from "../ui/classes";
import { Field } from "../ui/field";
import { MetricCharts } from "./metric-charts";
import { Trials } from "./trials";

interface Props {
  versions: VersionView[];
  served: number | undefined;
}

/** Two versions next to each other: the newest and the served one, or those of the URL. */
export function Compare({ versions, served }: Props) {
  const search = useSearch({ from: "/shell/models/$name" });
  const navigate = useNavigate({ from: "/models/$name" });
  const find = (version: number | undefined) => versions.find((one) => one.version === version);
  const one = find(search.a) ?? versions[0];
  const other = find(search.b) ?? [find(served), ...versions].find((version) => version && version !== one);
  if (!one) return null;
  const shown = other ? [one, other] : [one];
  const select = (key: "a" | "b", version: VersionView) => (
    <Field label={key === "a" ? "Version" : "compared with"}>
      {(props) => (
        <select
          {...props}
          className="control"
          value={version.version}
          onChange={(event) => {
            const chosen = { a: one.version, b: other?.version ?? one.version, [key]: Number(event.target.value) };
            void navigate({ search: chosen, replace: true });
          }}
        >
          {versions.map(({ version }) => (
            <option key={version} value={version}>
              v{version}
              {version === served ? " (production)" : ""}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  return (
    <div className="space-y-6">
      {other && (
        <div className="grid max-w-md grid-cols-2 gap-4">
          {select("a", one)}
          {select("b", other)}
        </div>
      )}
      <MetricsTable versions={shown} />
      <VersionCharts versions={shown} />
    </div>
  );
}

/** The list of versions leaves the curves and trials out; the versions themselves have them. */
function VersionCharts({ versions }: { versions: VersionView[] }) {
  const details = useQueries({ queries: versions.map(({ name, version }) => queries.version(name, version)) });
  const results = versions.map(({ version, metrics }, at) => ({
    of: `v${version}`,
    metrics: metricsOf(details[at]?.data?.metrics ?? metrics),
  }));
  return (
    <>
      <MetricCharts results={results} />
      {results.map(
        ({ of, metrics }) =>
          metrics.trials && (
            <section key={of} className="min-w-0 space-y-3" aria-label={`Search of ${of}`}>
              <h3 className="font-medium">Trials of {of}</h3>
              <Trials metrics={metrics} of={of} />
            </section>
          ),
      )}
    </>
  );
}

function MetricsTable({ versions }: { versions: VersionView[] }) {
  const mayReadJobs = mayRead(useSession(), "training");
  const metrics = versions.map((version) => metricsOf(version.metrics));
  type Fact = [string, (version: VersionView) => React.ReactNode];
  /** A fact that is left out if no version has it. */
  const optional = (name: string, of: (metrics: Metrics) => string | null): Fact[] =>
    metrics.some((one) => of(one) !== null) ? [[name, (version) => of(metricsOf(version.metrics)) ?? "–"]] : [];
  const facts: Fact[] = [
    ["Algorithm", ({ algorithm }) => formatAlgorithm(algorithm)],
    ["Dataset", ({ dataset, dataset_version }) => (dataset ? `${dataset} v${dataset_version}` : "–")],
    ["Target", ({ target }) => target],
    ...optional("Cross-validation", crossValidated),
    ...optional("Threshold", tunedThreshold),
    ["Features", ({ features }) => features.join(", ")],
    ["Size", ({ size }) => formatBytes(size)],
    [
      "Job",
      ({ job_id }) =>
        mayReadJobs ? (
          <Link to="/jobs/$id" params={{ id: job_id }} className="text-accent underline">
            open
          </Link>
        ) : (
          "–"
        ),
    ],
  ];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs the keyboard
    <section className="relative overflow-x-auto" tabIndex={0} aria-label="Metrics side by side">
      <table className="w-full max-w-2xl">
        <caption className="sr-only">Metrics of the versions on the held-out part</caption>
        <thead>
          <tr className="text-left text-xs text-soft">
            <td />
            {versions.map(({ version }) => (
              <th key={version} scope="col" className="px-3 py-1 font-medium">
                v{version}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {metricNames(metrics).map((name) => {
            const best = bestOf(name, metrics);
            return (
              <tr key={name}>
                <th scope="row" className="py-1.5 pr-3 text-left font-normal text-soft">
                  {formatMetricName(name)}
                </th>
                {metrics.map((values, at) => (
                  <td
                    key={versions[at]?.version}
                    className={classes("px-3 tabular-nums", at === best && "font-semibold text-good")}
                  >
                    {formatMetric(values[name])}
                    {at === best && <span className="sr-only"> (best)</span>}
                  </td>
                ))}
              </tr>
            );
          })}
          {facts.map(([name, value]) => (
            <tr key={name}>
              <th scope="row" className="py-1.5 pr-3 text-left align-top font-normal text-soft">
                {name}
              </th>
              {versions.map((version) => (
                <td key={version.version} className="px-3 py-1.5 align-top">
                  {value(version)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
