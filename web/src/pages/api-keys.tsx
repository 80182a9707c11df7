import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiKeyView, apiKeys, type CreatedApiKey } from "../api/key-queries";
import { isExpired } from "../lib/api-keys";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { MoreButton } from "../ui/more";
import { Panel } from "../ui/page";
import { ErrorState, Loading } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Time } from "../ui/time";
import { CreateApiKey, DeleteApiKey, NewApiKey } from "./api-key-dialogs";

/** The API keys of the signed-in account. */
export function ApiKeys({ role }: { role: "user" | "admin" }) {
  const client = useQueryClient();
  const keys = useInfiniteQuery(apiKeys());
  const [creating, setCreating] = useState(false);
  const [created, setCreated] = useState<CreatedApiKey | null>(null);
  const [deleted, setDeleted] = useState<ApiKeyView | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: ["api-keys"] });
  const columns: Column<ApiKeyView>[] = [
    { name: "Name", cell: ({ name }) => <span className="font-medium break-all">{name}</span> },
    { name: "Key", cell: ({ prefix }) => <code className="font-mono text-xs">{prefix}…</code> },
    {
      name: "Role",
      cell: (key) => <Badge tone={key.role === "admin" ? "accent" : "neutral"}>{key.role}</Badge>,
      wide: true,
    },
    { name: "Created", cell: ({ created_at }) => <Time at={created_at} />, wide: true },
    {
      name: "Last used",
      cell: ({ last_used_at }) => (last_used_at ? <Time at={last_used_at} /> : "never"),
      wide: true,
    },
    {
      name: "Expires",
      cell: ({ expires_at }) => {
        if (expires_at === null) return "never";
        return isExpired(expires_at, new Date()) ? <Badge tone="bad">expired</Badge> : <Time at={expires_at} />;
      },
    },
    {
      name: "Actions",
      hiddenName: true,
      numeric: true,
      cell: (key) => (
        <Button onClick={() => setDeleted(key)} aria-label={`Delete ${key.name}`}>
          Delete
        </Button>
      ),
    },
  ];
  const items = keys.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel title="API keys" aside={<Button onClick={() => setCreating(true)}>Create a key</Button>}>
      <p className="mb-3 text-soft">
        For scripts and services. A key works without a sign-in until it expires or is deleted. Send it as{" "}
        <code>Authorization: Bearer</code>.
      </p>
      {keys.isError && items.length === 0 ? (
        <ErrorState error={keys.error} retry={() => void keys.refetch()} />
      ) : keys.isPending ? (
        <Loading />
      ) : items.length === 0 ? (
        <p className="text-soft">No keys yet.</p>
      ) : (
        <>
          <Table label="Your API keys" columns={columns} rows={items} rowKey={({ id }) => id} />
          <MoreButton list={keys} />
        </>
      )}
      {creating && (
        <CreateApiKey
          role={role}
          onCreated={(key) => {
            setCreating(false);
            setCreated(key);
            void refresh();
          }}
          onClose={() => setCreating(false)}
        />
      )}
      {created && <NewApiKey created={created} onClose={() => setCreated(null)} />}
      {deleted && (
        <DeleteApiKey
          apiKey={deleted}
          onClose={() => {
            setDeleted(null);
            void refresh();
          }}
        />
      )}
    </Panel>
  );
}
