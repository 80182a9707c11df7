import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type DragEvent, useRef, useState } from "react";
import { ApiError, messageOf } from "../api/problem";
import { formatBytes, formatPercent, plural } from "../lib/format";
import { nameOfFile, refuseFile, uploadDataset } from "../lib/upload";
import { Button } from "../ui/button";
import { classes } from "../ui/classes";
import { Field } from "../ui/field";
import { Panel } from "../ui/page";
import { toast } from "../ui/toast";

/** Drop or choose a file, name it, watch it upload. */
export function Upload() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [over, setOver] = useState(false);
  const [share, setShare] = useState(0);
  const stop = useRef<AbortController | null>(null);
  const upload = useMutation({
    mutationFn: (chosen: File) => {
      setShare(0);
      stop.current = new AbortController();
      return uploadDataset({ name, file: chosen, onProgress: setShare, signal: stop.current.signal });
    },
    onSuccess: async (dataset) => {
      toast.done(`${dataset.name} v${dataset.version} has ${plural(dataset.rows, "row")}.`);
      await client.invalidateQueries({ queryKey: ["datasets"] });
      await navigate({ to: "/datasets/$name", params: { name: dataset.name } });
    },
  });
  const choose = async (chosen: File | undefined) => {
    if (!chosen) return;
    upload.reset();
    const reason = await refuseFile(chosen);
    setRefusal(reason);
    setFile(reason ? null : chosen);
    if (!reason) setName(nameOfFile(chosen.name));
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void choose(event.dataTransfer.files[0]);
  };
  const refused = upload.error instanceof ApiError ? upload.error.fields : {};
  const problem = refusal ?? (upload.error && !refused.name ? messageOf(upload.error) : null);
  return (
    <Panel title="Upload a CSV">
      <section
        aria-label="Drop a CSV here"
        className={classes(
          "rounded-md border border-dashed px-4 py-5",
          over ? "border-accent bg-accent-soft" : "border-control",
        )}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <input
          ref={input}
          type="file"
          accept=".csv,.txt,.tsv,text/csv"
          className="sr-only"
          aria-label="CSV file"
          tabIndex={-1}
          onChange={(event) => {
            void choose(event.target.files?.[0]);
            event.target.value = "";
          }}
        />
        {!file ? (
          <div className="flex flex-wrap items-center justify-center gap-3 text-soft">
            <span>Drop a CSV with a header row here, or</span>
            <Button onClick={() => input.current?.click()}>Choose a file</Button>
          </div>
        ) : (
          <form
            noValidate
            className="grid gap-4 sm:grid-cols-[1fr_auto] sm:items-start"
            onSubmit={(event) => {
              event.preventDefault();
              upload.mutate(file);
            }}
          >
            <Field
              label="Name of the dataset"
              hint={`${file.name}, ${formatBytes(file.size)}. An existing name gets a new version.`}
              error={refused.name}
            >
              {(props) => (
                <input
                  {...props}
                  className="control"
                  autoComplete="off"
                  spellCheck={false}
                  disabled={upload.isPending}
                  value={name}
                  onChange={(event) => setName(event.target.value.trim())}
                />
              )}
            </Field>
            <div className="flex gap-2 sm:pt-6">
              <Button type="submit" look="primary" busy={upload.isPending} disabled={!name}>
                Upload
              </Button>
              <Button
                look="quiet"
                onClick={() => {
                  stop.current?.abort();
                  upload.reset();
                  setFile(null);
                }}
              >
                Cancel
              </Button>
            </div>
            {upload.isPending && (
              <div className="sm:col-span-2" role="status">
                <progress className="sr-only" max={1} value={share} aria-label="Progress of the upload" />
                <svg className="block h-2 w-full" preserveAspectRatio="none" viewBox="0 0 100 8" aria-hidden="true">
                  <rect className="fill-raised" width="100" height="8" />
                  <rect className="fill-accent" width={share * 100} height="8" />
                </svg>
                <p className="mt-1 text-xs text-soft">
                  {share < 1 ? `${formatPercent(share, 0)} sent` : "Sent. The server reads and profiles the columns."}
                </p>
              </div>
            )}
          </form>
        )}
      </section>
      {problem && (
        <p role="alert" className="mt-3 rounded-md bg-bad-soft px-3 py-2 break-words text-bad">
          {problem}
        </p>
      )}
    </Panel>
  );
}
