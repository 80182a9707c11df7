import { useEffect, useState } from "react";
import type { JobFilter } from "../api/queries";
import { formatAlgorithm } from "../lib/format";
import { useSession } from "../session/use-session";
import { Button } from "../ui/button";
import { classes } from "../ui/classes";

const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
const ALGORITHMS = ["random_forest", "decision_tree", "svm", "logistic_regression", "ridge"] as const;
const TYPING_MS = 300;
const MODEL_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

interface Props {
  filter: JobFilter;
  onChange: (filter: Record<string, string>) => void;
}

/** The filters of the list, which are all in the URL. */
export function JobFilters({ filter, onChange }: Props) {
  const state = useSession();
  const own = state.status === "signed-in" ? state.account.id : undefined;
  const change = (changes: Partial<JobFilter>) => {
    const entries = Object.entries({ ...filter, ...changes }).filter(([, value]) => value);
    onChange(Object.fromEntries(entries) as Record<string, string>);
  };
  return (
    <search className="mb-3 flex min-w-0 flex-wrap items-center gap-2">
      <fieldset className="flex max-w-full min-w-0 overflow-x-auto rounded-md border border-control">
        <legend className="sr-only">Status</legend>
        {[undefined, ...STATUSES].map((status) => (
          <button
            key={status ?? "all"}
            type="button"
            aria-pressed={filter.status === status}
            className={classes(
              "h-7.5 px-2.5 whitespace-nowrap first:rounded-l-md last:rounded-r-md",
              filter.status === status
                ? "bg-accent-soft font-medium text-accent"
                : "bg-panel text-soft hover:bg-raised",
            )}
            onClick={() => change({ status })}
          >
            {status ?? "all"}
          </button>
        ))}
      </fieldset>
      <NameFilter name={filter.name} onChange={(name) => change({ name })} />
      <select
        className="control w-auto"
        aria-label="Algorithm"
        value={filter.algorithm ?? ""}
        onChange={(event) => change({ algorithm: ALGORITHMS.find((name) => name === event.target.value) })}
      >
        <option value="">every algorithm</option>
        {ALGORITHMS.map((name) => (
          <option key={name} value={name}>
            {formatAlgorithm(name)}
          </option>
        ))}
      </select>
      <label className="flex items-center gap-1.5 whitespace-nowrap">
        <input
          type="checkbox"
          className="accent-accent-fill"
          checked={filter.created_by !== undefined && filter.created_by === own}
          onChange={(event) => change({ created_by: event.target.checked ? own : undefined })}
        />
        only mine
      </label>
      {Object.keys(filter).length > 0 && (
        <Button look="quiet" onClick={() => onChange({})}>
          Clear
        </Button>
      )}
    </search>
  );
}

/** The exact name of a model. The filter changes when the typing pauses. */
function NameFilter({ name, onChange }: { name: string | undefined; onChange: (name: string | undefined) => void }) {
  const [text, setText] = useState(name ?? "");
  const [last, setLast] = useState(name);
  if (last !== name) {
    setLast(name);
    setText(name ?? "");
  }
  const valid = text === "" || MODEL_NAME.test(text);
  useEffect(() => {
    if (text === (name ?? "") || !valid) return;
    const timer = setTimeout(() => onChange(text || undefined), TYPING_MS);
    return () => clearTimeout(timer);
  });
  return (
    <input
      type="search"
      className="control w-44"
      aria-label="Name of the model"
      aria-invalid={!valid}
      title={valid ? "The whole name of the model" : "Names have only a-z, 0-9, dots, dashes and underscores"}
      placeholder="name of the model"
      value={text}
      onChange={(event) => setText(event.target.value.trim())}
    />
  );
}
