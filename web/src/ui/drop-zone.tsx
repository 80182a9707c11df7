import { type DragEvent, type ReactNode, useRef, useState } from "react";
import { Button } from "./button";
import { classes } from "./classes";

interface Props {
  /** The name of the file input. */
  label: string;
  /** What to drop here, in words. */
  children: ReactNode;
  busy?: boolean;
  onFile: (file: File) => void;
}

/** Takes one file, dropped or chosen. */
export function DropZone({ label, children, busy = false, onFile }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (file: File | undefined) => {
    if (file && !busy) onFile(file);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  return (
    <section
      aria-label="Drop zone"
      className={classes(
        "flex flex-wrap items-center justify-center gap-3 rounded-md border border-dashed px-4 py-5 text-soft",
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
        accept=".csv,.txt,.tsv,.gz,text/csv"
        className="sr-only"
        aria-label={label}
        tabIndex={-1}
        onChange={(event) => {
          take(event.target.files?.[0]);
          // The same file can be chosen again.
          event.target.value = "";
        }}
      />
      <span>{children}</span>
      <Button busy={busy} onClick={() => input.current?.click()}>
        Choose a file
      </Button>
    </section>
  );
}
