import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, data } from "../api/client";
import { fieldsOf, messageOf } from "../api/problem";
import { BATCH_ROWS, instancesOf, MAX_BYTES, refusedRow, withPredictions } from "../lib/batch";
import { parseCsv, writeCsv } from "../lib/csv";
import { download } from "../lib/download";
import { formatPercent, plural } from "../lib/format";
import type { Feature } from "../lib/signature";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";
import { Button, buttonClass } from "../ui/button";
import { Panel } from "../ui/page";
import { ProgressBar } from "../ui/progress";
import { toast } from "../ui/toast";
import { CsvDropZone } from "./csv-drop-zone";
import { PredictDataset } from "./predict-dataset";

interface Props {
  name: string;
  /** The pinned version; the alias production otherwise. */
  version: number | undefined;
  features: Feature[];
  target: string;
}

/** Predicts the rows of a CSV in the browser, and downloads the same CSV with the predictions. */
export function Batch({ name, version, features, target }: Props) {
  const admin = isAdmin(useSession());
  const [asking, setAsking] = useState(false);
  const [share, setShare] = useState(0);
  const stop = useRef(new AbortController());
  // Leaving the page stops the predictions.
  useEffect(() => () => stop.current.abort(), []);
  const predict = useMutation({
    mutationFn: async (file: File) => {
      setShare(0);
      stop.current = new AbortController();
      const table = parseCsv(await file.text());
      const instances = instancesOf(table, features);
      const predictions: Record<string, unknown>[] = [];
      for (let from = 0; from < instances.length; from += BATCH_ROWS) {
        const rows = instances.slice(from, from + BATCH_ROWS);
        const body = { model: name, ...(version === undefined ? {} : { version }), instances: rows };
        const request = data(api.POST("/inference", { body, signal: stop.current.signal })).catch((error: unknown) => {
          const row = refusedRow(fieldsOf(error), from);
          throw row ? new Error(row) : error;
        });
        const answer = (await request) as { predictions: Record<string, unknown>[] };
        predictions.push(...answer.predictions);
        setShare(predictions.length / instances.length);
      }
      const text = writeCsv(withPredictions(table, predictions, target));
      download(`${file.name.replace(/\.[^.]+$/, "")}-predictions.csv`, text, "text/csv");
      return predictions.length;
    },
    onSuccess: (rows) => toast.done(`Predicted ${plural(rows, "row")}. The file is in your downloads.`),
  });
  const isStopped = predict.isError && stop.current.signal.aborted;
  return (
    <Panel
      title="Many rows"
      aside={
        admin && (
          <span className="flex gap-2">
            <Link to="/jobs" search={{ kind: "prediction" }} className={buttonClass("quiet")}>
              Earlier jobs
            </Link>
            <Button onClick={() => setAsking(true)}>Predict a dataset</Button>
          </span>
        )
      }
    >
      <p className="mb-3 text-soft">
        Choose a CSV with the features as columns. The download has the same rows, with predictions as further columns.
        {admin && " For a large file or a stored dataset, submit a job: it continues when you close this page."}
      </p>
      <CsvDropZone
        label="CSV with rows to predict"
        maxBytes={MAX_BYTES}
        busy={predict.isPending}
        problem={isStopped || !predict.error ? null : messageOf(predict.error)}
        onFile={(file) => predict.mutate(file)}
      >
        {predict.isPending ? `${formatPercent(share, 0)} predicted` : undefined}
      </CsvDropZone>
      {predict.isPending && (
        <div className="mt-3 flex items-center gap-3">
          <ProgressBar value={share} label="Progress of the predictions" />
          <Button look="quiet" onClick={() => stop.current.abort()}>
            Cancel
          </Button>
        </div>
      )}
      {asking && <PredictDataset model={name} onClose={() => setAsking(false)} />}
    </Panel>
  );
}
