import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "../api/client";
import { type ColumnView, type DatasetView, queries } from "../api/queries";
import { formatBytes, formatCount, formatPercent, plural } from "../lib/format";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";
import { Badge } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Facts, Page, Panel } from "../ui/page";
import { QueryPage } from "../ui/query-page";
import { ErrorState, Loading } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Time } from "../ui/time";
import { toast } from "../ui/toast";
import { Warnings } from "../ui/warnings";
import { ColumnValues } from "./column-values";
import { PredictDataset } from "./predict-dataset";
import { useAccountNames } from "./use-account-names";

export function DatasetPage() {
  const { name } = useParams({ from: "/shell/datasets/$name" });
  const dataset = useQuery(queries.dataset(name));
  return (
    <QueryPage
      title={name}
      query={dataset}
      back={
        <Link to="/datasets" className={buttonClass()}>
          All datasets
        </Link>
      }
    >
      {(found) => <Loaded dataset={found} />}
    </QueryPage>
  );
}

function Loaded({ dataset }: { dataset: DatasetView }) {
  const admin = isAdmin(useSession());
  const { nameOf } = useAccountNames();
  const [deleting, setDeleting] = useState(false);
  const [predicting, setPredicting] = useState(false);
  // The table shows the warnings of a column at the column.
  const ofColumns = new Set(dataset.columns.flatMap(({ warnings }) => warnings));
  const warnings = dataset.warnings.filter((warning) => !ofColumns.has(warning));
  return (
    <Page
      title={dataset.name}
      heading={
        <>
          {dataset.name}
          <Badge>v{dataset.version}</Badge>
        </>
      }
      about={`${plural(dataset.rows, "row")}, ${plural(dataset.column_count, "column")}`}
      actions={
        admin && (
          <>
            <Link to="/train" search={{ dataset: dataset.name }} className={buttonClass("primary")}>
              Train on it
            </Link>
            <Button onClick={() => setPredicting(true)}>Predict a dataset</Button>
            <Button onClick={() => setDeleting(true)}>Delete</Button>
          </>
        )
      }
    >
      <div className="space-y-4">
        <Warnings texts={warnings} />
        <Table label="Columns" columns={columnsOf(dataset.rows)} rows={dataset.columns} rowKey={({ name }) => name} />
        <Preview name={dataset.name} />
        <Panel title="Facts">
          <Facts
            items={[
              ["Version", dataset.version],
              ["Size", formatBytes(dataset.bytes)],
              ["Uploaded", <Time key="uploaded" at={dataset.created_at} />],
              ["Uploaded by", dataset.created_by ? nameOf(dataset.created_by) : "built in"],
              ["Repeated rows", formatCount(dataset.duplicate_rows)],
              [
                "SHA-256",
                <code key="sha" className="text-xs break-all">
                  {dataset.sha256}
                </code>,
                "wide",
              ],
            ]}
          />
        </Panel>
      </div>
      {predicting && <PredictDataset dataset={dataset.name} onClose={() => setPredicting(false)} />}
      {deleting && <DeleteDataset dataset={dataset} onClose={() => setDeleting(false)} />}
    </Page>
  );
}

function columnsOf(rows: number): Column<ColumnView>[] {
  return [
    {
      name: "Column",
      cell: ({ name, warnings }) => (
        <>
          <span className="font-medium break-all">{name}</span>
          {warnings.map((warning) => (
            <span key={warning} className="block max-w-72 text-xs text-warn">
              {warning}
            </span>
          ))}
        </>
      ),
    },
    { name: "Type", cell: ({ dtype }) => <Badge>{dtype}</Badge> },
    {
      name: "Missing",
      cell: ({ missing }) => (missing === 0 || rows === 0 ? "–" : formatPercent(missing / rows)),
      numeric: true,
    },
    { name: "Distinct", cell: ({ distinct }) => formatCount(distinct), numeric: true, wide: true },
    { name: "Values", cell: (column) => <ColumnValues column={column} rows={rows} />, wide: true },
  ];
}

function Preview({ name }: { name: string }) {
  const preview = useQuery(queries.preview(name));
  if (preview.isError) return <ErrorState error={preview.error} retry={() => void preview.refetch()} />;
  if (preview.isPending) return <Loading rows={4} />;
  const { columns, rows } = preview.data;
  return (
    <Panel title={`First ${plural(rows.length, "row")}`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs the keyboard */}
      <section className="relative max-h-96 overflow-auto" aria-label="First rows" tabIndex={0}>
        <table className="w-max min-w-full text-xs">
          <thead>
            <tr className="text-left text-soft">
              {columns.map((column) => (
                <th key={column} scope="col" className="sticky top-0 bg-panel px-2 py-1.5 font-medium">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line font-mono">
            {rows.map((row, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity but their place
              <tr key={at}>
                {row.map((value, column) => (
                  <td key={columns[column]} className="max-w-64 truncate px-2 py-1 whitespace-nowrap">
                    {value ?? <span className="text-soft">missing</span>}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Panel>
  );
}

function DeleteDataset({ dataset, onClose }: { dataset: DatasetView; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/datasets/{name}", { params: { path: { name: dataset.name } } })),
    onSuccess: async () => {
      toast.done(`Deleted the dataset ${dataset.name}.`);
      await navigate({ to: "/datasets" });
      await client.invalidateQueries({ queryKey: ["datasets"] });
    },
    onError: (error) => {
      toast.failed(error);
      onClose();
    },
  });
  return (
    <Dialog
      title={`Delete the dataset ${dataset.name}?`}
      action="Delete for good"
      danger
      busy={remove.isPending}
      onAction={() => remove.mutate()}
      onClose={onClose}
    >
      <p>
        All {plural(dataset.version, "version")} and the newest file of {formatBytes(dataset.bytes)} are deleted. Models
        that were trained on it stay, and can't be trained again.
      </p>
    </Dialog>
  );
}
