import type { AlgorithmView } from "../api/queries";
import { formatAlgorithm, formatCount } from "../lib/format";
import type { Parameter } from "../lib/parameters";
import type { Task, TrainingDraft } from "../lib/training";
import { Badge } from "../ui/badge";
import { classes } from "../ui/classes";
import { Panel } from "../ui/page";
import { Parameters } from "./train-parameters";

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
      <Parameters
        // The new key closes the group of the other algorithm.
        key={draft.algorithm}
        draft={draft}
        parameters={parameters}
        task={task}
        errors={errors}
        onChange={(params) => onChange({ params })}
      />
    </Panel>
  );
}
