import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "../api/client";
import { ApiError, messageOf } from "../api/problem";
import { queries } from "../api/queries";
import { PRODUCTION, productionFirst } from "../lib/models";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { toast } from "../ui/toast";

interface Props {
  /** The model, on its own page. */
  model?: string;
  /** The dataset, on its own page. */
  dataset?: string;
  onClose: () => void;
}

/** Submits a job that predicts every row of a dataset with the production version of a model. */
export function PredictDataset({ model, dataset, onClose }: Props) {
  const navigate = useNavigate();
  const [chosenModel, setModel] = useState(model ?? "");
  const [chosenDataset, setDataset] = useState(dataset ?? "");
  const [columns, setColumns] = useState<"all" | "none">("all");
  const models = useQuery({ ...queries.models(), enabled: model === undefined });
  const datasets = useInfiniteQuery({ ...queries.datasets(), enabled: dataset === undefined });
  const submit = useMutation({
    mutationFn: () => data(api.POST("/predictions", { body: { model: chosenModel, dataset: chosenDataset, columns } })),
    onSuccess: async ({ job_id }) => {
      toast.done(`The prediction of ${chosenDataset} is queued.`);
      await navigate({ to: "/jobs/$id", params: { id: job_id } });
    },
  });
  const refused = submit.error instanceof ApiError ? submit.error.fields : {};
  const shown = ["model", "dataset", "columns"];
  const other = submit.error && !Object.keys(refused).some((field) => shown.includes(field));
  const served = productionFirst(models.data ?? []).filter(({ aliases }) => aliases[PRODUCTION] !== undefined);
  const stored = datasets.data?.pages.flatMap(({ items }) => items.map(({ name }) => name)) ?? [];
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
      <p>A job predicts every row with the production version. Its page has the result as a CSV.</p>
      {model === undefined && (
        <Choice
          label="Model"
          value={chosenModel}
          options={served.map(({ name }) => name)}
          error={refused.model}
          onChange={setModel}
        />
      )}
      {dataset === undefined && (
        <Choice
          label="Dataset"
          value={chosenDataset}
          options={stored}
          error={refused.dataset}
          onChange={setDataset}
          more={datasets.hasNextPage ? () => void datasets.fetchNextPage() : undefined}
        />
      )}
      {dataset !== undefined && refused.dataset && <Alert text={`The dataset ${refused.dataset}.`} />}
      {model !== undefined && refused.model && <Alert text={`The model ${refused.model}.`} />}
      <Field label="Columns of the result" error={refused.columns}>
        {(props) => (
          <select
            {...props}
            className="control"
            value={columns}
            onChange={(event) => setColumns(event.target.value === "none" ? "none" : "all")}
          >
            <option value="all">those of the dataset, and the predictions</option>
            <option value="none">the predictions only</option>
          </select>
        )}
      </Field>
      {other && <Alert text={messageOf(submit.error)} />}
    </Dialog>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly string[];
  error: string | undefined;
  onChange: (value: string) => void;
  /** Reads further options. */
  more?: (() => void) | undefined;
}

function Choice({ label, value, options, error, onChange, more }: ChoiceProps) {
  return (
    <Field label={label} error={error}>
      {(props) => (
        <select
          {...props}
          className="control"
          value={value}
          onFocus={more}
          onChange={(event) => onChange(event.target.value)}
        >
          <option value="">choose one</option>
          {options.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Alert({ text }: { text: string }) {
  return (
    <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 break-words text-bad">
      {text}
    </p>
  );
}
