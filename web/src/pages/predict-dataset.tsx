import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "../api/client";
import { fieldsOf, messageOf } from "../api/problem";
import { queries } from "../api/queries";
import type { PredictionSpec } from "../lib/job-kind";
import { PRODUCTION, productionFirst } from "../lib/models";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { Problem } from "../ui/form";
import { Select } from "../ui/inputs";
import { MoreButton } from "../ui/more";
import { toast } from "../ui/toast";

interface Props {
  /** The model, on its own page. */
  model?: string;
  /** The dataset, on its own page. */
  dataset?: string;
  /** The prediction to submit again. */
  cloned?: PredictionSpec;
  onClose: () => void;
}

const COLUMNS = [
  ["all", "those of the dataset, and the predictions"],
  ["none", "the predictions only"],
] as const;

/** Submits a job that predicts every row of a dataset. */
export function PredictDataset({ model, dataset, cloned, onClose }: Props) {
  const navigate = useNavigate();
  const [chosenModel, setModel] = useState(model ?? cloned?.model ?? "");
  /** Empty for the version in production. */
  const [version, setVersion] = useState(cloned ? String(cloned.version) : "");
  const [chosenDataset, setDataset] = useState(dataset ?? cloned?.dataset ?? "");
  const [columns, setColumns] = useState(cloned?.columns ?? "all");
  const models = useQuery({ ...queries.models(), enabled: model === undefined });
  const datasets = useInfiniteQuery({ ...queries.datasets(), enabled: dataset === undefined });
  const detail = useQuery({ ...queries.model(chosenModel), enabled: chosenModel !== "" });
  const submit = useMutation({
    mutationFn: () => {
      const pinned = version ? { version: Number(version) } : {};
      return data(
        api.POST("/predictions", { body: { model: chosenModel, ...pinned, dataset: chosenDataset, columns } }),
      );
    },
    onSuccess: async ({ job_id }) => {
      toast.done(`The prediction of ${chosenDataset} is queued.`);
      onClose();
      await navigate({ to: "/jobs/$id", params: { id: job_id } });
    },
  });
  const refused = fieldsOf(submit.error);
  const shown = [
    ...(model === undefined ? ["model"] : []),
    ...(dataset === undefined ? ["dataset"] : []),
    "version",
    "columns",
  ];
  const others = Object.entries(refused).filter(([field]) => !shown.includes(field));
  const usable = productionFirst(models.data ?? []).filter(({ latest }) => latest !== null);
  const stored = datasets.data?.pages.flatMap(({ items }) => items.map(({ name }) => name)) ?? [];
  const served = detail.data?.aliases[PRODUCTION];
  const versions = detail.data?.versions.map((one) => String(one.version)) ?? [];
  return (
    <Dialog
      title="Predict a dataset"
      action="Predict"
      dismiss="Close"
      busy={submit.isPending}
      disabled={!chosenModel || !chosenDataset}
      onAction={() => submit.mutate()}
      onClose={onClose}
    >
      <p>A job predicts every row. Its page has the result as a CSV.</p>
      {model === undefined && (
        <Field label="Model" error={refused.model}>
          {(props) => (
            <Select
              {...props}
              options={namesWith(
                chosenModel,
                usable.map(({ name }) => name),
              )}
              value={chosenModel}
              onChange={(name) => {
                setModel(name);
                setVersion("");
              }}
            />
          )}
        </Field>
      )}
      <Field label="Version" error={refused.version}>
        {(props) => (
          <Select
            {...props}
            options={[
              ["", served === undefined ? "the one in production" : `the one in production, v${served}`],
              ...[...new Set([...(version ? [version] : []), ...versions])].map((one): [string, string] => [
                one,
                `v${one}`,
              ]),
            ]}
            value={version}
            onChange={setVersion}
          />
        )}
      </Field>
      {dataset === undefined && (
        <div>
          <Field label="Dataset" error={refused.dataset}>
            {(props) => (
              <Select
                {...props}
                options={namesWith(chosenDataset, stored)}
                value={chosenDataset}
                onChange={setDataset}
              />
            )}
          </Field>
          <MoreButton list={datasets} label="List more datasets" />
        </div>
      )}
      <Field label="Columns of the result" error={refused.columns}>
        {(props) => <Select {...props} options={COLUMNS} value={columns} onChange={setColumns} />}
      </Field>
      {submit.error && (Object.keys(refused).length === 0 || others.length > 0) && (
        <Problem>
          {others.length > 0 ? others.map(([field, text]) => `${field}: ${text}`).join("; ") : messageOf(submit.error)}
        </Problem>
      )}
    </Dialog>
  );
}

/** The options of a list of names, with an empty one until a name is chosen. */
function namesWith(chosen: string, names: readonly string[]): [string, string][] {
  const all = new Set(chosen ? [chosen, ...names] : names);
  return [
    ...(chosen ? [] : [["", "choose one"] as [string, string]]),
    ...[...all].map((name): [string, string] => [name, name]),
  ];
}
