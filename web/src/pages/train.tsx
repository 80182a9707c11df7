import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "../api/client";
import { fieldsOf, messageOf } from "../api/problem";
import { type AlgorithmView, queries } from "../api/queries";
import { parametersOf } from "../lib/parameters";
import {
  canBeTarget,
  draftOfJob,
  EMPTY_DRAFT,
  fieldOf,
  maskedWebhook,
  parseTraining,
  proposedTarget,
  type TrainingDraft,
  type TrainingRequest,
  taskOf,
  typedColumns,
} from "../lib/training";
import { Button } from "../ui/button";
import { Field } from "../ui/field";
import { Form, Problem } from "../ui/form";
import { Select, TextInput } from "../ui/inputs";
import { Page, Panel } from "../ui/page";
import { ErrorState, Loading } from "../ui/states";
import { toast } from "../ui/toast";
import { Warnings } from "../ui/warnings";
import { AlgorithmPart } from "./train-algorithm";
import { FeaturesPart } from "./train-features";
import { RUN_FIELDS, RunPart, TaskPart } from "./train-run";

export function TrainPage() {
  const { clone, dataset } = useSearch({ from: "/shell/train" });
  const algorithms = useQuery(queries.algorithms());
  const cloned = useQuery({ ...queries.job(clone ?? ""), enabled: clone !== undefined, refetchInterval: false });
  // The columns decide the height of the form, so the form waits for them.
  const first = cloned.data?.spec.dataset ?? dataset ?? EMPTY_DRAFT.dataset;
  const profile = useQuery({ ...queries.dataset(first), enabled: clone === undefined || cloned.data !== undefined });
  const error = algorithms.error ?? cloned.error;
  if (error) {
    const retry = () => void (algorithms.error ? algorithms.refetch() : cloned.refetch());
    return (
      <Page title="Train a model">
        <ErrorState error={error} retry={retry} />
      </Page>
    );
  }
  if (!algorithms.data || (clone !== undefined && !cloned.data) || profile.isPending) {
    return (
      <Page title="Train a model">
        <Loading rows={8} />
      </Page>
    );
  }
  const all = algorithms.data.items;
  const schemaOf = (name: string) => parametersOf(all.find((algorithm) => algorithm.name === name)?.params);
  const initial = cloned.data
    ? draftOfJob(cloned.data, schemaOf(cloned.data.algorithm))
    : { ...EMPTY_DRAFT, ...(dataset ? { dataset } : {}) };
  const masked = cloned.data && maskedWebhook(cloned.data.spec);
  return (
    <Page
      title={cloned.data ? `Train ${cloned.data.name} again` : "Train a model"}
      about={
        cloned.data
          ? "A copy of the job, to change what you like."
          : "The job trains one version of the model. The first version is served at once."
      }
    >
      {masked && <Warnings texts={[masked]} />}
      <TrainingForm key={clone ?? dataset ?? ""} initial={initial} algorithms={all} />
    </Page>
  );
}

function TrainingForm({ initial, algorithms }: { initial: TrainingDraft; algorithms: AlgorithmView[] }) {
  const navigate = useNavigate();
  const [draft, setDraft] = useState(initial);
  const [checked, setChecked] = useState(false);
  const change = (changes: Partial<TrainingDraft>) => setDraft((before) => ({ ...before, ...changes }));
  const datasets = useInfiniteQuery(queries.datasets());
  const names = datasets.data?.pages.flatMap((page) => page.items.map(({ name }) => name)) ?? [];
  const profile = useQuery({ ...queries.dataset(draft.dataset), enabled: draft.dataset !== "" });
  const columns = typedColumns(profile.data?.columns ?? [], draft.learning);
  // The proposal follows the dataset until a person chooses.
  const current = { ...draft, target: draft.target || proposedTarget(columns, profile.data?.suggested_target) };
  const targets = columns.map(({ name }): [string, string] => [name, name]);
  if (!current.target) targets.unshift(["", "choose a column"]);
  const parameters = parametersOf(algorithms.find(({ name }) => name === draft.algorithm)?.params);
  const parsed = parseTraining(current, columns, parameters);
  const submit = useMutation({
    mutationFn: (body: TrainingRequest) => data(api.POST("/training", { body })),
    onSuccess: async ({ job_id }) => {
      toast.done(`The training of ${current.name} is queued.`);
      await navigate({ to: "/jobs/$id", params: { id: job_id } });
    },
  });
  const refused = fieldsOf(submit.error);
  const errors: Record<string, string> = {};
  for (const [path, message] of Object.entries(refused)) errors[fieldOf(path)] ??= message;
  if (checked && "errors" in parsed) Object.assign(errors, parsed.errors);
  const shown = ["name", "dataset", "target", "features", "algorithm", ...RUN_FIELDS];
  const elsewhere = Object.keys(errors).filter((field) => !shown.includes(field) && !field.startsWith("params."));
  const problem =
    submit.error && (Object.keys(refused).length === 0 || elsewhere.length > 0) ? messageOf(submit.error) : null;
  return (
    <Form
      onSubmit={() => {
        setChecked(true);
        if ("request" in parsed) submit.mutate(parsed.request);
        else toast.failed(new Error("Some fields need a change; they say which."));
      }}
    >
      <Panel title="What to train">
        <div className="grid gap-4 sm:grid-cols-3">
          <Field label="Name of the model" hint="a new version if the name exists" error={errors.name}>
            {(props) => (
              <TextInput
                {...props}
                placeholder="titanic-rf"
                value={draft.name}
                onChange={(text) => change({ name: text.trim() })}
              />
            )}
          </Field>
          <Field label="Dataset" error={errors.dataset ?? (profile.error ? messageOf(profile.error) : undefined)}>
            {(props) => (
              <Select
                {...props}
                options={[...new Set([draft.dataset, ...names])].map((name) => [name, name])}
                value={draft.dataset}
                onChange={(name) => change({ dataset: name, target: "", features: null, learning: {}, promoteBy: "" })}
              />
            )}
          </Field>
          <Field label="Target" hint="the column to predict" error={errors.target}>
            {(props) => (
              <Select
                {...props}
                options={targets}
                value={current.target}
                isDisabled={(name) => columns.some((column) => column.name === name && !canBeTarget(column))}
                onChange={(target) => {
                  const { positive_class: _, ...learning } = draft.learning;
                  change({ target, learning, promoteBy: "" });
                }}
              />
            )}
          </Field>
        </div>
      </Panel>
      <TaskPart draft={current} columns={columns} errors={errors} onChange={change} />
      <FeaturesPart draft={current} columns={columns} error={errors.features} onChange={change} />
      <AlgorithmPart
        draft={current}
        algorithms={algorithms}
        parameters={parameters}
        task={taskOf(current, columns)}
        errors={errors}
        onChange={change}
      />
      <RunPart draft={current} columns={columns} errors={errors} onChange={change} />
      {problem && <Problem>{problem}</Problem>}
      <div className="flex justify-end">
        <Button type="submit" look="primary" busy={submit.isPending} disabled={profile.isPending}>
          Start training
        </Button>
      </div>
    </Form>
  );
}
