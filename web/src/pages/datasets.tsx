import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type DatasetView, queries } from "../api/queries";
import { formatBytes, formatCount } from "../lib/format";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";
import { MoreButton } from "../ui/more";
import { Page } from "../ui/page";
import { EmptyState, ErrorState, Loading } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Time } from "../ui/time";
import { Upload } from "./dataset-upload";

const COLUMNS: Column<DatasetView>[] = [
  {
    name: "Dataset",
    cell: ({ name }) => (
      <Link to="/datasets/$name" params={{ name }} className="font-medium break-all hover:underline">
        {name}
      </Link>
    ),
  },
  { name: "Version", cell: ({ version }) => `v${version}`, numeric: true },
  { name: "Rows", cell: ({ rows }) => formatCount(rows), numeric: true },
  { name: "Columns", cell: ({ column_count }) => formatCount(column_count), numeric: true, wide: true },
  { name: "Size", cell: ({ bytes }) => formatBytes(bytes), numeric: true, wide: true },
  { name: "Uploaded", cell: ({ created_at }) => <Time at={created_at} />, wide: true },
];

export function DatasetsPage() {
  const admin = isAdmin(useSession());
  const datasets = useInfiniteQuery(queries.datasets());
  const items = datasets.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title="Datasets" about="CSV files. Each upload under a name is a new version.">
      <div className="space-y-4">
        {admin && <Upload />}
        {datasets.isError && items.length === 0 ? (
          <ErrorState error={datasets.error} retry={() => void datasets.refetch()} />
        ) : datasets.isPending ? (
          <Loading />
        ) : items.length === 0 ? (
          <EmptyState title="No datasets">
            {admin
              ? "Upload a CSV above. Its columns are profiled, then it is ready for training."
              : "An administrator uploads datasets."}
          </EmptyState>
        ) : (
          <>
            <Table label="Datasets" columns={COLUMNS} rows={items} rowKey={({ id }) => id} />
            <MoreButton list={datasets} />
          </>
        )}
      </div>
    </Page>
  );
}
