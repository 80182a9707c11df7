import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { queries } from "../api/queries";
import { settings } from "../api/settings";
import { formatBytes } from "../lib/format";
import { nameOfFile } from "../lib/upload";
import { Button } from "../ui/button";
import { Field } from "../ui/field";
import { Select, TextInput } from "../ui/inputs";
import { MoreButton } from "../ui/more";
import { ProgressBar } from "../ui/progress";
import { CsvDropZone } from "./csv-drop-zone";

/** A file that is uploaded as a dataset before its rows are predicted. */
export interface NewDataset {
  file: File;
  name: string;
}

interface Props {
  /** A stored dataset; empty until one is chosen. */
  dataset: string;
  upload: NewDataset | null;
  /** The share of the file that is sent; null while nothing is sent. */
  share: number | null;
  error: string | undefined;
  onDataset: (name: string) => void;
  onUpload: (upload: NewDataset | null) => void;
}

/** The rows to predict: a stored dataset, or a CSV that is uploaded first. */
export function PredictSource({ dataset, upload, share, error, onDataset, onUpload }: Props) {
  const datasets = useInfiniteQuery(queries.datasets());
  const maxBytes = useQuery(settings).data?.max_dataset_bytes;
  const stored = datasets.data?.pages.flatMap(({ items }) => items.map(({ name }) => name)) ?? [];
  if (upload) {
    return (
      <div className="space-y-2">
        <Field
          label="Name of the new dataset"
          hint={`${upload.file.name}, ${formatBytes(upload.file.size)}. An existing dataset gets a new version.`}
          error={error}
        >
          {(props) => (
            <TextInput
              {...props}
              disabled={share !== null}
              value={upload.name}
              onChange={(name) => onUpload({ ...upload, name: name.trim() })}
            />
          )}
        </Field>
        {share === null ? (
          <Button onClick={() => onUpload(null)}>Choose another dataset</Button>
        ) : (
          <ProgressBar value={share} label="Progress of the upload" />
        )}
      </div>
    );
  }
  return (
    <div className="space-y-2">
      <Field label="Dataset" error={error}>
        {(props) => <Select {...props} options={namesWith(dataset, stored)} value={dataset} onChange={onDataset} />}
      </Field>
      <MoreButton list={datasets} label="List more datasets" />
      <CsvDropZone
        label="CSV file to upload and predict"
        maxBytes={maxBytes}
        onFile={(file) => onUpload({ file, name: nameOfFile(file.name) })}
      >
        Or drop a CSV to upload, or
      </CsvDropZone>
    </div>
  );
}

/** The options of a list of names, with an empty one until a name is chosen. */
export function namesWith(chosen: string, names: readonly string[]): [string, string][] {
  const all = new Set(chosen ? [chosen, ...names] : names);
  return [
    ...(chosen ? [] : [["", "choose one"] as [string, string]]),
    ...[...all].map((name): [string, string] => [name, name]),
  ];
}
