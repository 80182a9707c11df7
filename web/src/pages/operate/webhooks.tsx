import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type DeliveryFilter, type DeliveryStatus, type DeliveryView, operate } from "../../api/operate-queries";
import { shortId } from "../../lib/format";
import { Button } from "../../ui/button";
import { Choice } from "../../ui/choice";
import { MoreButton } from "../../ui/more";
import { Page } from "../../ui/page";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { DeliveryBadge, DeliveryDialog, Replay } from "./delivery";

const STATUSES: readonly DeliveryStatus[] = ["pending", "delivered", "failed"];

export function WebhooksPage() {
  const search = useSearch({ from: "/shell/operate/webhooks" });
  const navigate = useNavigate({ from: "/operate/webhooks" });
  const filter: DeliveryFilter = {
    ...(search.status ? { status: search.status } : {}),
    ...(search.job ? { job_id: search.job } : {}),
  };
  const deliveries = useInfiniteQuery(operate.deliveries(filter));
  const items = deliveries.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = Object.keys(filter).length > 0;
  const columns: Column<DeliveryView>[] = [
    { name: "Status", cell: ({ status }) => <DeliveryBadge status={status} /> },
    {
      name: "Event",
      cell: ({ id, event, url }) => (
        <>
          <Link
            to="/operate/webhooks"
            search={{ ...search, delivery: id }}
            className="font-medium hover:underline"
            aria-label={`Details of ${event} ${shortId(id)}`}
          >
            {event.replace("training.", "")}
          </Link>
          <span className="block max-w-36 truncate text-xs sm:max-w-72 text-soft" title={url ?? ""}>
            {url ?? "URL hidden"}
          </span>
        </>
      ),
    },
    {
      name: "Job",
      cell: ({ job_id }) => (
        <Link to="/jobs/$id" params={{ id: job_id }} className="font-mono text-xs hover:underline" title={job_id}>
          {shortId(job_id)}
        </Link>
      ),
      wide: true,
    },
    { name: "Attempts", cell: ({ attempts }) => attempts, numeric: true, wide: true },
    { name: "Last answer", cell: (delivery) => <LastAnswer delivery={delivery} />, wide: true },
    {
      name: "Next attempt",
      cell: ({ next_attempt_at }) => <Time at={next_attempt_at} />,
      wide: true,
    },
    { name: "Created", cell: ({ created_at }) => <Time at={created_at} />, wide: true },
    { name: "Actions", hiddenName: true, cell: (delivery) => <Replay delivery={delivery} />, numeric: true },
  ];
  return (
    <Page
      title="Webhooks"
      about="Deliveries to the webhook URLs of jobs, newest first. Failed attempts are repeated for a day."
    >
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Choice
          label="Status"
          values={STATUSES}
          value={search.status}
          onChange={(status) => {
            const { status: _, ...others } = search;
            void navigate({ search: status ? { ...others, status } : others, replace: true });
          }}
        />
        {search.job && (
          <Button
            look="quiet"
            onClick={() => {
              const { job: _, ...others } = search;
              void navigate({ search: others, replace: true });
            }}
          >
            Only job {shortId(search.job)} ×
          </Button>
        )}
      </div>
      {deliveries.isError && items.length === 0 ? (
        <ErrorState error={deliveries.error} retry={() => void deliveries.refetch()} />
      ) : deliveries.isPending ? (
        <Loading />
      ) : items.length === 0 ? (
        filtered ? (
          <EmptyState
            title="No delivery matches these filters"
            action={<Button onClick={() => void navigate({ search: {} })}>Clear the filters</Button>}
          >
            Deliveries are kept for 30 days after their end, unless the server is configured otherwise.
          </EmptyState>
        ) : (
          <EmptyState title="No deliveries yet">
            A job with a <code>webhook_url</code> reports its end to this URL. Submit one with{" "}
            <code>POST /training</code>; its delivery appears here.
          </EmptyState>
        )
      ) : (
        <>
          <Table label="Deliveries" columns={columns} rows={items} rowKey={({ id }) => id} />
          <MoreButton list={deliveries} />
        </>
      )}
      {search.delivery && (
        <DeliveryDialog
          key={search.delivery}
          id={search.delivery}
          onClose={() => {
            const { delivery: _, ...others } = search;
            void navigate({ search: others, replace: true });
          }}
        />
      )}
    </Page>
  );
}

function LastAnswer({ delivery: { last_status, last_error, attempts } }: { delivery: DeliveryView }) {
  if (attempts === 0) return <span className="text-soft">not sent yet</span>;
  return (
    <span className="block max-w-56 truncate" title={last_error ?? undefined}>
      {last_status ? `HTTP ${last_status}` : (last_error ?? "–")}
    </span>
  );
}
