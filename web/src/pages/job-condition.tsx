import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { queries } from "../api/queries";
import { formatAlgorithm } from "../lib/format";
import { CHOICES, type Condition, FAILURES, type FailureCode, FIELD_NAMES, type FilterField } from "../lib/job-filter";
import { mayRead } from "../session/session";
import { useSession } from "../session/use-session";
import { Button } from "../ui/button";
import { useAccountNames } from "./use-account-names";

/** The name of a value for people: the address of an account, the words of an algorithm. */
export function useValueNames(): (field: FilterField, value: string) => string {
  const people = usePeople();
  return (field, value) => {
    if (field === "created_by") return people.find(([id]) => id === value)?.[1] ?? `${value.slice(0, 8)}…`;
    return field === "algorithm" ? formatAlgorithm(value) : value;
  };
}

/** The accounts by id; the own one is "me". */
function usePeople(): [string, string][] {
  const state = useSession();
  const { accounts } = useAccountNames();
  const own = state.status === "signed-in" ? state.account.id : "";
  return accounts.map(({ id, email }) => [id, id === own ? "me" : email]);
}

interface Props {
  field: FilterField;
  condition: Condition;
  onChange: (condition: Condition) => void;
  close: () => void;
}

/** Edits one filter. Each change applies at once, so that the list shows what it means. */
export function ConditionEditor({ field, condition, onChange, close }: Props) {
  const group = useId();
  const people = usePeople();
  const [current, setCurrent] = useState(condition);
  const change = (changes: Partial<Condition>) => {
    const next = { ...current, ...changes };
    setCurrent(next);
    onChange(next);
  };
  const choices: readonly (readonly [string, string])[] | undefined =
    field === "created_by"
      ? people
      : CHOICES[field]?.map((value) => [value, field === "algorithm" ? formatAlgorithm(value) : value] as const);
  return (
    <fieldset className="w-64 max-w-full space-y-2 p-1.5">
      <legend className="mb-2 font-medium">{FIELD_NAMES[field]}</legend>
      <div className="flex gap-4">
        {[false, true].map((negated) => (
          <label key={String(negated)} className="flex items-center gap-1.5">
            <input
              type="radio"
              name={group}
              className="accent-accent-fill"
              checked={current.negated === negated}
              onChange={() => change({ negated })}
            />
            {negated ? "is not" : "is"}
          </label>
        ))}
      </div>
      {choices ? (
        <ul className="max-h-64 overflow-auto">
          {choices.map(([value, text]) => (
            <li key={value}>
              <label
                className="flex items-center gap-2 rounded px-1 py-1 hover:bg-raised"
                title={FAILURES[value as FailureCode]}
              >
                <input
                  type="checkbox"
                  className="accent-accent-fill"
                  checked={current.values.includes(value)}
                  onChange={(event) =>
                    change({
                      values: event.target.checked
                        ? [...current.values, value]
                        : current.values.filter((one) => one !== value),
                    })
                  }
                />
                <span className="truncate">{text}</span>
              </label>
            </li>
          ))}
        </ul>
      ) : (
        <Names field={field} values={current.values} onChange={(values) => change({ values })} close={close} />
      )}
    </fieldset>
  );
}

interface NamesProps {
  field: FilterField;
  values: string[];
  onChange: (values: string[]) => void;
  close: () => void;
}

/** Names of models or datasets, with the known ones as suggestions. */
function Names({ field, values, onChange, close }: NamesProps) {
  const list = useId();
  const state = useSession();
  const [text, setText] = useState(values.join(", "));
  const models = useQuery({ ...queries.models(), enabled: field === "name", refetchInterval: false });
  const datasets = useInfiniteQuery({
    ...queries.datasets(),
    enabled: field === "dataset" && mayRead(state, "datasets"),
  });
  const known =
    field === "name"
      ? (models.data?.map(({ name }) => name) ?? [])
      : (datasets.data?.pages.flatMap((page) => page.items.map(({ name }) => name)) ?? []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onChange(
          text
            .split(",")
            .map((value) => value.trim())
            .filter(Boolean),
        );
        close();
      }}
    >
      <input
        className="control"
        aria-label={`${FIELD_NAMES[field]}: names, with commas between them`}
        placeholder="names, with commas"
        list={list}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <datalist id={list}>
        {known.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Button type="submit" look="primary" className="mt-2">
        Apply
      </Button>
    </form>
  );
}
