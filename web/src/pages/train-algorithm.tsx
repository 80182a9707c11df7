import type { AlgorithmView } from "../api/queries";
import { formatAlgorithm, formatCount, title } from "../lib/format";
import { boundsOf, type Parameter, textOf } from "../lib/parameters";
import type { Task, TrainingDraft } from "../lib/training";
import { Badge } from "../ui/badge";
import { classes } from "../ui/classes";
import { type ControlProps, Field } from "../ui/field";
import { Panel } from "../ui/page";

interface Props {
  draft: TrainingDraft;
  algorithms: AlgorithmView[];
  parameters: Parameter[];
  /** The task, as far as the form shows it. */
  task: Task | null;
  errors: Record<string, string>;
  onChange: (changes: Partial<TrainingDraft>) => void;
}

/** The algorithm and its parameters, as the server describes them. */
export function AlgorithmPart({ draft, algorithms, parameters, task, errors, onChange }: Props) {
  return (
    <Panel title="Algorithm">
      <fieldset>
        <legend className="sr-only">Algorithm</legend>
        <div className="grid gap-2 sm:grid-cols-2">
          {algorithms.map(({ name, description, max_rows, ...supports }) => (
            <label
              key={name}
              className={classes(
                "flex cursor-pointer gap-3 rounded-md border p-3",
                name === draft.algorithm ? "border-accent bg-accent-soft" : "border-line hover:bg-raised",
              )}
            >
              <input
                type="radio"
                name="algorithm"
                className="mt-0.5 accent-accent-fill"
                checked={name === draft.algorithm}
                onChange={() => onChange({ algorithm: name as TrainingDraft["algorithm"], params: {} })}
              />
              <span>
                <span className="flex flex-wrap items-center gap-x-2 font-medium">
                  {formatAlgorithm(name)}
                  {task !== null && !supports[`supports_${task}`] && <Badge tone="warn">not for {task}</Badge>}
                </span>
                <span className="text-soft">
                  {description}
                  {max_rows != null && !description.includes("rows") && ` At most ${formatCount(max_rows)} rows.`}
                </span>
              </span>
            </label>
          ))}
        </div>
        {errors.algorithm && <p className="mt-2 text-bad">{errors.algorithm}</p>}
      </fieldset>
      <div className="mt-5 grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
        {parameters.map((parameter) => (
          <Field
            key={parameter.name}
            label={title(parameter.name)}
            error={errors[`params.${parameter.name}`]}
            hint={[parameter.description, boundsOf(parameter)].filter(Boolean).join(" ")}
          >
            {(props) => (
              <ParameterInput
                props={props}
                parameter={parameter}
                text={draft.params[parameter.name] ?? ""}
                onChange={(text) => onChange({ params: { ...draft.params, [parameter.name]: text } })}
              />
            )}
          </Field>
        ))}
      </div>
    </Panel>
  );
}

interface InputProps {
  props: ControlProps;
  parameter: Parameter;
  text: string;
  onChange: (text: string) => void;
}

/** An empty input means the default, which is its placeholder. */
function ParameterInput({ props, parameter, text, onChange }: InputProps) {
  const standard = parameter.default === null ? "none" : textOf(parameter.default);
  if (parameter.kind === "choice") {
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
      className="control"
      placeholder={`${standard} (default)`}
      value={text}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
