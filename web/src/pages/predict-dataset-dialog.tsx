import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, data } from "../api/client";
import { fieldsOf, messageOf } from "../api/problem";
import { queries } from "../api/queries";
import { PRODUCTION, productionFirst } from "../lib/models";
import { uploadDataset } from "../lib/upload";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { Problem } from "../ui/form";
import { Select } from "../ui/inputs";
import { toast } from "../ui/toast";
import type { PredictDatasetProps } from "./predict-dataset";
import { type NewDataset, namesWith, PredictSource } from "./predict-source";

const COLUMNS = [
  ["all", "those of the dataset, and the predictions"],
  ["none", "the predictions only"],
] as const;

/** Submits a job that predicts every row of a dataset. */
export function PredictDatasetDialog({ model, dataset, cloned, onClose }: PredictDatasetProps) {
  const navigate = useNavigate();
  const [chosenModel, setModel] = useState(model ?? cloned?.model ?? "");
  /** Empty for the version in production. */
  const [version, setVersion] = useState(cloned ? String(cloned.version) : "");
  const [chosenDataset, setDataset] = useState(dataset ?? cloned?.dataset ?? "");
  const [columns, setColumns] = useState(cloned?.columns ?? "all");
  const models = useQuery({ ...queries.models(), enabled: model === undefined });
  const client = useQueryClient();
  const [upload, setUpload] = useState<NewDataset | null>(null);
  const [share, setShare] = useState<number | null>(null);
  const stop = useRef(new AbortController());
  const isOpen = useRef(true);
  // Closing the dialog stops the upload.
  useEffect(() => {
    isOpen.current = true;
    return () => {
      isOpen.current = false;
      stop.current.abort();
    };
  }, []);
  const detail = useQuery({ ...queries.model(chosenModel), enabled: chosenModel !== "" });
  const submit = useMutation({
    mutationFn: async () => {
      const pinned = version ? { version: Number(version) } : {};
      const rows = upload ? await store(upload) : chosenDataset;
      const body = { model: chosenModel, ...pinned, dataset: rows, columns };
      return { ...(await data(api.POST("/predictions", { body }))), rows };
    },
    onSuccess: async ({ job_id, rows }) => {
      toast.done(`The prediction of ${rows} is queued.`);
      // If the dialog was closed meanwhile, the person stays on the page that is open now.
      if (!isOpen.current) return;
      onClose();
      await navigate({ to: "/jobs/$id", params: { id: job_id } });
    },
  });
  /** Uploads the file and selects the new dataset, so that a second attempt does not send the file again. */
  const store = async ({ file, name }: NewDataset): Promise<string> => {
    setShare(0);
    stop.current = new AbortController();
    try {
      const { signal } = stop.current;
      const stored = await uploadDataset({ name, file, reading: { types: {} }, onProgress: setShare, signal });
      await client.invalidateQueries({ queryKey: ["datasets"] });
      setDataset(stored.name);
      setUpload(null);
      return stored.name;
    } finally {
      setShare(null);
    }
  };
  const refused = fieldsOf(submit.error);
  const shown = [
    ...(model === undefined ? ["model"] : []),
    ...(dataset === undefined ? ["dataset", "name"] : []),
    "version",
    "columns",
  ];
  const others = Object.entries(refused).filter(([field]) => !shown.includes(field));
  const usable = productionFirst(models.data ?? []).filter(({ latest }) => latest !== null);
  const served = detail.data?.aliases[PRODUCTION];
  const versions = detail.data?.versions.map((one) => String(one.version)) ?? [];
  return (
    <Dialog
      title="Predict a dataset"
      action="Predict"
      dismiss="Close"
      busy={submit.isPending}
      disabled={!chosenModel || !(upload ? upload.name : chosenDataset)}
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
        <PredictSource
          dataset={chosenDataset}
          upload={upload}
          share={share}
          error={refused.dataset ?? refused.name}
          onDataset={setDataset}
          onUpload={setUpload}
        />
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
