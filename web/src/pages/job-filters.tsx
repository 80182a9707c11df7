import { useEffect, useRef, useState } from "react";
import {
  FIELD_NAMES,
  type FilterField,
  formatCondition,
  JOB_FIELDS,
  type JobFilter,
  parseCondition,
  readSearch,
  refuseSearch,
} from "../lib/job-filter";
import { Button, buttonClass } from "../ui/button";
import { Popover } from "../ui/popover";
import { ConditionEditor, useValueNames } from "./job-condition";
import { KEYS } from "./use-job-keys";

const TYPING_MS = 300;
const FIELDS = JOB_FIELDS.filter((field) => field !== "search");

interface Props {
  filter: JobFilter;
  onChange: (filter: JobFilter) => void;
}

/** The search, and the filters as chips. All of them are in the URL. */
export function JobFilters({ filter, onChange }: Props) {
  const names = useValueNames();
  const set = (field: FilterField, text: string | undefined) => {
    const { [field]: _, ...others } = filter;
    onChange(text ? { ...others, [field]: text } : others);
  };
  const used = FIELDS.filter((field) => filter[field] !== undefined);
  return (
    <search className="mb-3 flex min-w-0 flex-wrap items-center gap-2">
      <SearchBox filter={filter} onChange={onChange} />
      <Popover
        buttonLook={buttonClass()}
        content={(close) => <FieldMenu filter={filter} onChange={set} close={close} />}
      >
        Filter
      </Popover>
      {used.map((field) => {
        const { negated, values } = parseCondition(filter[field] ?? "");
        const text = `${FIELD_NAMES[field]} ${negated ? "is not" : "is"} ${values.map((value) => names(field, value)).join(" or ")}`;
        return (
          <span
            key={field}
            className="flex h-8 max-w-full min-w-0 items-center rounded-full border border-control bg-panel pl-1"
          >
            <Popover
              label={`Change the filter: ${text}`}
              buttonLook="min-w-0 truncate rounded-full px-2 hover:underline"
              content={(close) => (
                <ConditionEditor
                  field={field}
                  condition={{ negated, values }}
                  onChange={(condition) => set(field, formatCondition(condition))}
                  close={close}
                />
              )}
            >
              <span className="text-soft">
                {FIELD_NAMES[field]} {negated ? "is not" : "is"}
              </span>{" "}
              <span className="font-medium">{values.map((value) => names(field, value)).join(" or ")}</span>
            </Popover>
            <button
              type="button"
              aria-label={`Remove the filter: ${text}`}
              className="mr-1 size-6 shrink-0 rounded-full text-soft hover:bg-raised hover:text-ink"
              onClick={() => set(field, undefined)}
            >
              ×
            </button>
          </span>
        );
      })}
      {Object.keys(filter).length > 1 && (
        <Button look="quiet" onClick={() => onChange({})}>
          Clear
        </Button>
      )}
      <Help />
    </search>
  );
}

/** The menu of the fields; a chosen one shows its editor in the same panel. */
function FieldMenu({
  filter,
  onChange,
  close,
}: {
  filter: JobFilter;
  onChange: (field: FilterField, text: string | undefined) => void;
  close: () => void;
}) {
  const [field, setField] = useState<FilterField | null>(null);
  if (field) {
    return (
      <ConditionEditor
        field={field}
        condition={parseCondition(filter[field] ?? "")}
        onChange={(condition) => onChange(field, formatCondition(condition))}
        close={close}
      />
    );
  }
  return (
    <>
      {FIELDS.map((one) => (
        <button
          key={one}
          type="button"
          className="block w-full rounded px-2.5 py-1.5 text-left hover:bg-raised"
          onClick={() => setField(one)}
        >
          {FIELD_NAMES[one]}
        </button>
      ))}
    </>
  );
}

/** Free text. It applies when the typing pauses; `status:failed` and the like become chips. */
function SearchBox({ filter, onChange }: Props) {
  const applied = filter.search ?? "";
  const [text, setText] = useState(applied);
  const last = useRef(applied);
  // The URL has changed by a link or by the back button.
  if (last.current !== applied) {
    last.current = applied;
    setText(applied);
  }
  const problem = refuseSearch(text);
  const apply = () => {
    if (problem) return;
    const next = readSearch(text, filter);
    last.current = next.search ?? "";
    if (JSON.stringify(next) !== JSON.stringify(filter)) onChange(next);
    if (next.search !== undefined || text.includes(":")) setText(next.search ?? "");
  };
  useEffect(() => {
    if (text.trim() === applied || problem) return;
    const timer = setTimeout(apply, TYPING_MS);
    return () => clearTimeout(timer);
  });
  return (
    <form
      className="min-w-0 flex-1 basis-64"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <input
        id="job-search"
        type="search"
        className="control"
        aria-label="Search jobs"
        aria-invalid={problem !== null}
        title={problem ?? "All words must match. status:failed, -model:x, error:timeout and the like become filters."}
        placeholder="Search by id, model, dataset, person or error"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {problem && <p className="mt-1 text-xs text-bad">{problem}</p>}
    </form>
  );
}

function Help() {
  return (
    <Popover
      id="job-keys"
      label="Keys"
      buttonLook={buttonClass("quiet", "max-sm:hidden")}
      content={() => (
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 p-2">
          {KEYS.map(([key, what]) => (
            <div key={key} className="contents">
              <dt className="font-mono text-xs">{key}</dt>
              <dd className="text-soft">{what}</dd>
            </div>
          ))}
        </dl>
      )}
    >
      ?
    </Popover>
  );
}
