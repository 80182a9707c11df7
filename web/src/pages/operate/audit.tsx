import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { type AuditFilter, type AuditView, operate } from "../../api/operate-queries";
import { ACTIONS, detailOf, subjectOf } from "../../lib/audit";
import { Button } from "../../ui/button";
import { MoreButton } from "../../ui/more";
import { Page } from "../../ui/page";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { useAccountNames } from "../use-account-names";

/** Who did what. The names of accounts come from the list of users; a deleted account keeps its id. */
export function AuditPage() {
  const filter: AuditFilter = useSearch({ from: "/shell/operate/audit" });
  const navigate = useNavigate({ from: "/operate/audit" });
  const { accounts, nameOf } = useAccountNames();
  const entries = useInfiniteQuery(operate.audit(filter));
  const emails = new Map(accounts.map(({ id, email }) => [id, email]));
  const items = entries.data?.pages.flatMap((page) => page.items) ?? [];
  const change = (changes: { [field in keyof AuditFilter]?: string | undefined }) => {
    const next = Object.entries({ ...filter, ...changes }).filter(([, value]) => value);
    void navigate({ search: Object.fromEntries(next), replace: true });
  };
  const filtered = Object.keys(filter).length > 0;
  const columns: Column<AuditView>[] = [
    { name: "When", cell: ({ at }) => <Time at={at} /> },
    {
      name: "Who",
      cell: ({ actor }) =>
        actor ? (
          <button
            type="button"
            className="block max-w-20 truncate text-left hover:underline sm:max-w-56"
            title={`Only entries of ${emails.get(actor) ?? actor}`}
            onClick={() => change({ actor })}
          >
            {nameOf(actor)}
          </button>
        ) : (
          <span className="text-soft">the server, or nobody</span>
        ),
    },
    { name: "Action", cell: ({ action }) => <code className="text-xs">{action}</code> },
    {
      name: "What",
      cell: ({ subject, detail }) => (
        <>
          <button
            type="button"
            className="block max-w-72 truncate text-left hover:underline"
            title={subject}
            onClick={() => change({ subject })}
          >
            {subjectOf(subject, emails)}
          </button>
          <span className="block max-w-72 truncate text-xs text-soft" title={detailOf(detail)}>
            {detailOf(detail)}
          </span>
        </>
      ),
      wide: true,
    },
    {
      name: "Request",
      cell: ({ request_id }) => <span className="font-mono text-xs break-all text-soft">{request_id ?? "–"}</span>,
      wide: true,
    },
  ];
  return (
    <Page
      title="Audit log"
      about="Changes to accounts and actions of administrators, newest first. Entries can't be changed."
    >
      <search className="mb-3 grid gap-2 sm:flex sm:flex-wrap">
        <select
          className="control max-w-full sm:w-auto"
          aria-label="Action"
          value={filter.action ?? ""}
          onChange={(event) => change({ action: event.target.value })}
        >
          <option value="">every action</option>
          {Object.entries(ACTIONS).map(([kind, verbs]) => (
            <optgroup key={kind} label={kind}>
              <option value={`${kind}.*`}>all of {kind}</option>
              {verbs.map((verb) => (
                <option key={verb} value={`${kind}.${verb}`}>
                  {kind}.{verb}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
        <select
          className="control max-w-full sm:w-auto"
          aria-label="Account"
          value={filter.actor ?? ""}
          onChange={(event) => change({ actor: event.target.value })}
        >
          <option value="">every account</option>
          {filter.actor && !emails.has(filter.actor) && <option value={filter.actor}>{filter.actor}</option>}
          {accounts.map(({ id, email }) => (
            <option key={id} value={id}>
              {email}
            </option>
          ))}
        </select>
        <SubjectFilter
          key={filter.subject ?? ""}
          subject={filter.subject ?? ""}
          onChange={(subject) => change({ subject })}
        />
        {filtered && (
          <Button look="quiet" onClick={() => void navigate({ search: {}, replace: true })}>
            Clear
          </Button>
        )}
      </search>
      {entries.isError && items.length === 0 ? (
        <ErrorState error={entries.error} retry={() => void entries.refetch()} />
      ) : entries.isPending ? (
        <Loading rows={10} />
      ) : (
        <>
          {items.length > 0 && <Table label="Audit log" columns={columns} rows={items} rowKey={({ id }) => id} />}
          {items.length === 0 && !entries.hasNextPage && (
            <EmptyState title="No entry matches these filters">
              Entries are kept as long as the server is configured to keep them.
            </EmptyState>
          )}
          <MoreButton list={entries} label={filtered ? "Search older entries" : "Show more"} />
        </>
      )}
    </Page>
  );
}

/** The exact subject. The filter changes with Enter, or when the field is left. */
function SubjectFilter({ subject, onChange }: { subject: string; onChange: (subject: string) => void }) {
  const [text, setText] = useState(subject);
  const apply = () => text.trim() !== subject && onChange(text.trim());
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <input
        type="search"
        className="control max-w-full sm:w-64"
        aria-label="Subject"
        placeholder="subject, such as model:titanic-rf"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={apply}
      />
    </form>
  );
}
