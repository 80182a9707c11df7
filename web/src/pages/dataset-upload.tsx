import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { fieldsOf, messageOf } from "../api/problem";
import { settings } from "../api/settings";
import { formatBytes, formatCount, formatPercent, plural } from "../lib/format";
import { sampleOf } from "../lib/sample";
import { nameOfFile, profileOf, type Reading, uploadDataset } from "../lib/upload";
import { Button } from "../ui/button";
import { Field } from "../ui/field";
import { Form, Problem } from "../ui/form";
import { TextInput } from "../ui/inputs";
import { Panel } from "../ui/page";
import { ProgressBar } from "../ui/progress";
import { toast } from "../ui/toast";
import { CsvDropZone } from "./csv-drop-zone";
import { ProfileView } from "./dataset-profile";

interface Chosen {
  file: File;
  /** Distinguishes two files with the same name. */
  number: number;
}

let chosenFiles = 0;

/** Drop or choose a file, see what the server makes of it, overrule types, upload. */
export function Upload() {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const limit = useQuery(settings).data?.max_dataset_bytes;
  const choose = (file: File) => {
    chosenFiles += 1;
    setChosen({ file, number: chosenFiles });
  };
  return (
    <Panel title="Upload a CSV">
      {chosen ? (
        <Review key={chosen.number} chosen={chosen} onClose={() => setChosen(null)} />
      ) : (
        <CsvDropZone label="CSV file" maxBytes={limit} onFile={choose} />
      )}
    </Panel>
  );
}

/** The profile of the file, its name, and the upload. */
function Review({ chosen: { file, number }, onClose }: { chosen: Chosen; onClose: () => void }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [name, setName] = useState(nameOfFile(file.name));
  const [reading, setReading] = useState<Reading>({ types: {} });
  const [share, setShare] = useState(0);
  const stop = useRef<AbortController | null>(null);
  const profile = useQuery({
    queryKey: ["profile", number, reading],
    queryFn: async ({ signal }) => {
      const sample = await sampleOf(file);
      return (
        sample && { whole: sample.whole, bytes: sample.body.size, table: await profileOf(sample.body, reading, signal) }
      );
    },
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const upload = useMutation({
    mutationFn: () => {
      setShare(0);
      stop.current = new AbortController();
      return uploadDataset({ name, file, reading, onProgress: setShare, signal: stop.current.signal });
    },
    onSuccess: async (dataset) => {
      toast.done(`${dataset.name} v${dataset.version} has ${plural(dataset.rows, "row")}.`);
      await client.invalidateQueries({ queryKey: ["datasets"] });
      await navigate({ to: "/datasets/$name", params: { name: dataset.name } });
    },
  });
  const refused = fieldsOf(upload.error);
  const problem = upload.error && !refused.name ? messageOf(upload.error) : profile.error && messageOf(profile.error);
  const cancel = () => {
    stop.current?.abort();
    onClose();
  };
  return (
    <Form onSubmit={() => upload.mutate()}>
      <div className="grid gap-4 sm:grid-cols-[1fr_auto] sm:items-start">
        <Field
          label="Name of the dataset"
          hint={`${file.name}, ${formatBytes(file.size)}. An existing dataset gets a new version.`}
          error={refused.name}
        >
          {(props) => (
            <TextInput {...props} disabled={upload.isPending} value={name} onChange={(text) => setName(text.trim())} />
          )}
        </Field>
        <div className="flex gap-2 sm:pt-6">
          <Button type="submit" look="primary" busy={upload.isPending} disabled={!name || profile.isFetching}>
            Upload
          </Button>
          <Button look="quiet" onClick={cancel}>
            Cancel
          </Button>
        </div>
      </div>
      {upload.isPending && (
        <div role="status">
          <ProgressBar value={share} label="Progress of the upload" />
          <p className="mt-1 text-xs text-soft">
            {share < 1 ? `${formatPercent(share, 0)} sent` : "Sent. The server reads and profiles the columns."}
          </p>
        </div>
      )}
      {problem && <Problem>{problem}</Problem>}
      {profile.data === undefined && !profile.error && (
        <p role="status" aria-busy="true" className="text-soft">
          The server reads the file. Nothing is stored yet.
        </p>
      )}
      {profile.data === null && (
        <p className="text-soft">
          The columns of this file can be shown only after the upload: it is large, and compressed or in UTF-16.
        </p>
      )}
      {profile.data && (
        <>
          <p className="text-soft">
            {profile.data.whole ? (
              <>
                {plural(profile.data.table.rows, "row")}, {plural(profile.data.table.column_count, "column")}. Nothing
                is stored yet.
              </>
            ) : (
              <>
                This is the profile of the first {formatBytes(profile.data.bytes)},{" "}
                {plural(profile.data.table.rows, "row")} of about{" "}
                {formatCount(estimate(profile.data.table.rows, profile.data.bytes, file.size))}. The upload reads all
                rows and can decide otherwise; the types that you choose stay.
              </>
            )}
          </p>
          <ProfileView profile={profile.data.table} reading={reading} busy={profile.isFetching} onChange={setReading} />
        </>
      )}
    </Form>
  );
}

/** The rows of the whole file, with two digits: more would pretend to know. */
function estimate(rows: number, bytes: number, all: number): number {
  return Number(((rows / bytes) * all).toPrecision(2));
}
