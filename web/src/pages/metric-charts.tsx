import type { ReactNode } from "react";
import { Bars } from "../charts/bars";
import { Confusion } from "../charts/confusion";
import { PlotFigure } from "../charts/plot";
import { plotsOf } from "../lib/curves";
import { formatMetric } from "../lib/format";
import type { Metrics } from "../lib/models";
import { classes } from "../ui/classes";

/** Importances of more features than this are left out. */
const MOST_FEATURES = 12;

export interface Result {
  metrics: Metrics;
  /** Whose metrics, where several are on a page: `v3`. */
  of?: string;
}

/** The diagrams of one result, or of two side by side: importances, confusion matrix, curves. */
export function MetricCharts({ results }: { results: Result[] }) {
  const charts = results.map(chartsOf);
  const kinds = [...new Set(charts.flatMap((one) => [...one.keys()]))];
  return (
    <div
      className={classes(
        "grid min-w-0 gap-x-8 gap-y-6",
        results.length > 1 ? "lg:grid-cols-2" : "md:grid-cols-2 xl:grid-cols-3",
      )}
    >
      {kinds.flatMap((kind) =>
        charts.map((one, at) => (
          // A result without this diagram keeps its column empty.
          <div key={`${kind} ${results[at]?.of ?? ""}`} className="min-w-0 empty:max-lg:hidden">
            {one.get(kind)}
          </div>
        )),
      )}
    </div>
  );
}

function chartsOf({ metrics, of }: Result): Map<string, ReactNode> {
  const { feature_importances: importances, confusion_matrix: confusion } = metrics;
  const suffix = of ? ` of ${of}` : "";
  const charts = new Map<string, ReactNode>();
  if (importances && importances.length > 0) {
    const items = importances
      .slice(0, MOST_FEATURES)
      .map(({ feature, importance }) => ({ name: feature, value: importance }));
    charts.set(
      "importances",
      <>
        <h3 className="mb-2 font-medium">Feature importances{suffix}</h3>
        <Bars label={`Feature importances${suffix}`} items={items} />
      </>,
    );
  }
  const permuted = metrics.permutation_importances;
  if (permuted && permuted.features.length > 0) {
    // A feature without influence can have a small negative mean by chance.
    const items = permuted.features
      .slice(0, MOST_FEATURES)
      .map(({ feature, mean, std }) => ({ name: feature, value: Math.max(mean ?? 0, 0), spread: std }));
    charts.set(
      "permutations",
      <>
        <h3 className="mb-0.5 font-medium">Permutation importances{suffix}</h3>
        <p className="mb-2 text-xs text-soft">
          How much the {permuted.metric === "rmse" ? "RMSE" : "log loss"} grows when the values of a feature are
          shuffled: mean and standard deviation of the permutations.
        </p>
        <Bars label={`Permutation importances${suffix}`} items={items} format={formatMetric} />
      </>,
    );
  }
  if (confusion) {
    charts.set(
      "confusion",
      <>
        <h3 className="mb-2 font-medium">Confusion matrix{suffix}</h3>
        <Confusion label={`Confusion matrix${suffix}`} counts={confusion.counts} labels={confusion.labels} />
      </>,
    );
  }
  for (const plot of plotsOf(metrics)) charts.set(plot.id, <PlotFigure plot={plot} {...(of ? { of } : {})} />);
  return charts;
}
