import type { ColumnView } from "../api/queries";
import { metricInSentence } from "../lib/format";
import { isSmallerBetter } from "../lib/models";
import { labelsOf, PROMOTION_METRICS, type PromotionMetric, type TrainingDraft, taskOf } from "../lib/training";
import { Field } from "../ui/field";
import { Select, TextInput } from "../ui/inputs";
import { Panel } from "../ui/page";

interface Props {
  draft: TrainingDraft;
  columns: ColumnView[];
  errors: Record<string, string>;
  onChange: (changes: Partial<TrainingDraft>) => void;
}

/** The fields of the API that these parts show. */
export const RUN_FIELDS = [
  "task",
  "on_leak",
  "positive_class",
  "priority",
  "seed",
  "timeout_s",
  "max_attempts",
  "run_at",
  "auto_promote",
  "auto_promote.metric",
  "auto_promote.min_improvement",
  "webhook_url",
];

const TASKS = [
  ["", "by the target"],
  ["classification", "classification"],
  ["regression", "regression"],
] as const;
const LEAKS = [
  ["warn", "use them, with a warning"],
  ["drop", "leave them out"],
  ["refuse", "refuse the job"],
] as const;

/** What is learned: the task, the positive class, features that contain the target. */
export function TaskPart({ draft, columns, errors, onChange }: Props) {
  const { learning } = draft;
  const labels = labelsOf(columns.find(({ name }) => name === draft.target));
  const isBinary = labels.length === 2 && taskOf(draft, columns) === "classification";
  return (
    <Panel title="What is learned">
      <div className="grid gap-4 sm:grid-cols-3">
        <Field label="Task" hint="decided by the target if you do not choose" error={errors.task}>
          {(props) => (
            <Select
              {...props}
              options={TASKS}
              value={learning.task ?? ""}
              onChange={(task) => {
                const { task: _, ...others } = learning;
                // The metrics of a promotion belong to the task.
                onChange({ learning: task ? { ...others, task } : others, promoteBy: "" });
              }}
            />
          )}
        </Field>
        {isBinary && (
          <Field label="Positive class" hint="predictions have its probability" error={errors.positive_class}>
            {(props) => (
              <Select
                {...props}
                options={[
                  ["", "true, 1 or yes; else the rarer one"],
                  ...labels.map((label): [string, string] => [label, label]),
                ]}
                value={learning.positive_class === undefined ? "" : String(learning.positive_class)}
                onChange={(label) => {
                  const { positive_class: _, ...others } = learning;
                  onChange({ learning: label ? { ...others, positive_class: label } : others });
                }}
              />
            )}
          </Field>
        )}
        <Field label="Features that contain the target" hint="they make metrics look too good" error={errors.on_leak}>
          {(props) => (
            <Select
              {...props}
              options={LEAKS}
              value={learning.on_leak ?? "warn"}
              onChange={(on_leak) => onChange({ learning: { ...learning, on_leak } })}
            />
          )}
        </Field>
      </div>
    </Panel>
  );
}

/** When and how the job runs, and what follows. */
export function RunPart({ draft, columns, errors, onChange }: Props) {
  const metrics = PROMOTION_METRICS[taskOf(draft, columns) ?? "classification"];
  const promotions: [PromotionMetric | "", string][] = [
    ["", "by a person; the first version at once"],
    ...metrics.map((metric): [PromotionMetric, string] => [metric, `if ${better(metric)}`]),
  ];
  const text = (field: "priority" | "seed" | "timeout" | "attempts", label: string, hint: string, path: string) => (
    <Field label={label} hint={hint} error={errors[path]}>
      {(props) => (
        <input
          {...props}
          inputMode="numeric"
          className="control"
          value={draft[field]}
          onChange={(event) => onChange({ [field]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <Panel title="How to run it">
      <div className="grid gap-4 sm:grid-cols-3">
        {text("seed", "Seed", "the same seed and data give the same model", "seed")}
        {text("priority", "Priority", "-10 to 10; higher runs first", "priority")}
        {text("timeout", "Time limit in seconds", "1 to 86400", "timeout_s")}
        {text("attempts", "Attempts", "1 to 20; only errors that can pass are tried again", "max_attempts")}
        <Field label="Not before" hint="empty: at once; in the time of this browser" error={errors.run_at}>
          {(props) => (
            <input
              {...props}
              type="datetime-local"
              className="control"
              value={draft.runAt}
              onChange={(event) => onChange({ runAt: event.target.value })}
            />
          )}
        </Field>
        <Field label="Webhook URL" hint="is sent the outcome; empty: none" error={errors.webhook_url}>
          {(props) => (
            <TextInput
              {...props}
              placeholder="https://"
              value={draft.webhook}
              onChange={(webhook) => onChange({ webhook })}
            />
          )}
        </Field>
        <Field
          label="Put the new version into production"
          hint="compared with the version in production, on held-out rows"
          error={errors.auto_promote ?? errors["auto_promote.metric"]}
        >
          {(props) => (
            <Select
              {...props}
              options={promotions}
              value={draft.promoteBy}
              onChange={(promoteBy) => onChange({ promoteBy })}
            />
          )}
        </Field>
        {draft.promoteBy && (
          <Field
            label="Better by at least"
            hint="in the unit of the metric; 0: by anything"
            error={errors["auto_promote.min_improvement"]}
          >
            {(props) => (
              <TextInput {...props} value={draft.improvement} onChange={(improvement) => onChange({ improvement })} />
            )}
          </Field>
        )}
      </div>
    </Panel>
  );
}

function better(metric: PromotionMetric): string {
  return `${metricInSentence(metric)} is ${isSmallerBetter(metric) ? "lower" : "higher"}`;
}
