import { type ReactNode, useState } from "react";
import { plural, title } from "../lib/format";
import { ADVANCED, boundsOf, groupsOf, isRelevant, type Parameter, placeholderOf, textOf } from "../lib/parameters";
import type { Task, TrainingDraft } from "../lib/training";
import { Badge } from "../ui/badge";
import { type ControlProps, Field } from "../ui/field";

interface Props {
  draft: TrainingDraft;
  parameters: Parameter[];
  /** The task, as far as the form shows it. */
  task: Task | null;
  errors: Record<string, string>;
  onChange: (params: Record<string, string>) => void;
}

/** The parameters of an algorithm, in the groups and the order that the server specifies. */
export function Parameters({ draft, parameters, task, errors, onChange }: Props) {
  const errorOf = ({ name }: Parameter) => errors[`params.${name}`];
  const shown = parameters.filter(
    (parameter) => errorOf(parameter) !== undefined || isRelevant(parameter, parameters, task, draft.params),
  );
  return (
    <div className="mt-5 space-y-5">
      {groupsOf(shown).map(([group, members]) => {
        const changed = members.filter(({ name }) => (draft.params[name] ?? "").trim() !== "").length;
        const hasError = members.some((member) => errorOf(member) !== undefined);
        return group === ADVANCED ? (
          <Advanced key={group} title={title(group)} count={members.length} changed={changed} hasError={hasError}>
            <Fields members={members} draft={draft} errorOf={errorOf} onChange={onChange} />
          </Advanced>
        ) : (
          <section key={group} aria-label={`Parameters: ${group}`}>
            <h3 className="border-b border-line pb-1 font-semibold">{title(group)}</h3>
            <Fields members={members} draft={draft} errorOf={errorOf} onChange={onChange} />
          </section>
        );
      })}
    </div>
  );
}

interface FieldsProps {
  members: Parameter[];
  draft: TrainingDraft;
  errorOf: (parameter: Parameter) => string | undefined;
  onChange: (params: Record<string, string>) => void;
}

function Fields({ members, draft, errorOf, onChange }: FieldsProps) {
  return (
    <div className="mt-3 grid gap-x-4 gap-y-4 sm:grid-cols-2 lg:grid-cols-3">
      {members.map((parameter) => (
        <Field
          key={parameter.name}
          label={<Label parameter={parameter} />}
          error={errorOf(parameter)}
          hint={hintOf(parameter)}
        >
          {(props) => (
            <ParameterInput
              props={props}
              parameter={parameter}
              text={draft.params[parameter.name] ?? ""}
              onChange={(text) => onChange({ ...draft.params, [parameter.name]: text })}
            />
          )}
        </Field>
      ))}
    </div>
  );
}

interface AdvancedProps {
  title: string;
  count: number;
  /** How many of the parameters are filled in. */
  changed: number;
  hasError: boolean;
  children: ReactNode;
}

/** Parameters that few jobs change. At first they are hidden, unless one is filled in. An error opens them. */
function Advanced({ title: name, count, changed, hasError, children }: AdvancedProps) {
  const [opened, setOpened] = useState(changed > 0);
  return (
    <details open={opened || hasError} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary className="border-b border-line pb-1 font-semibold">
        {name} <span className="font-normal text-soft">{plural(count, "parameter")} that few jobs change</span>
        {changed > 0 && (
          <>
            {" "}
            <Badge tone="accent">{changed} changed</Badge>
          </>
        )}
      </summary>
      {children}
    </details>
  );
}

/** The label of the parameter, and its name in the API. */
function Label({ parameter: { label, name, unit } }: { parameter: Parameter }) {
  return (
    <span className="flex flex-wrap items-baseline gap-x-2">
      <span>
        {label}
        {unit && <span className="font-normal text-soft"> ({unit})</span>}
      </span>
      <code className="text-xs font-normal break-all text-soft">{name}</code>
    </span>
  );
}

function hintOf(parameter: Parameter): string {
  const bounds = boundsOf(parameter);
  return [parameter.description, bounds && `${bounds}.`].filter(Boolean).join(" ");
}

interface InputProps {
  props: ControlProps;
  parameter: Parameter;
  text: string;
  onChange: (text: string) => void;
}

/** An empty input means the default, which is its placeholder. */
function ParameterInput({ props, parameter, text, onChange }: InputProps) {
  if (parameter.kind === "choice") {
    const standard = textOf(parameter.default);
    return (
      <select {...props} className="control" value={text} onChange={(event) => onChange(event.target.value)}>
        <option value="">{standard} (default)</option>
        {parameter.choices
          .filter((choice) => choice !== standard)
          .map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
      </select>
    );
  }
  return (
    <input
      {...props}
      inputMode={parameter.kind === "text" ? "text" : parameter.kind === "integer" ? "numeric" : "decimal"}
      autoComplete="off"
      className="control"
      placeholder={placeholderOf(parameter)}
      value={text}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
