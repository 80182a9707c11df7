import { type ReactNode, useState } from "react";
import { refuseFile } from "../lib/upload";
import { DropZone } from "../ui/drop-zone";
import { Problem } from "../ui/form";

interface Props {
  /** The name of the file input. */
  label: string;
  /** The size of the largest file; `undefined` if it is not known. */
  maxBytes: number | undefined;
  busy?: boolean;
  /** Why an earlier file failed. */
  problem?: string | null;
  children?: ReactNode;
  onFile: (file: File) => void;
}

/** Takes a CSV file. Says why a file can't be one, and keeps it back. */
export function CsvDropZone({ label, maxBytes, busy = false, problem = null, children, onFile }: Props) {
  const [refusal, setRefusal] = useState<string | null>(null);
  const choose = async (file: File) => {
    const reason = await refuseFile(file, maxBytes);
    setRefusal(reason);
    if (!reason) onFile(file);
  };
  const shown = refusal ?? problem;
  return (
    <div className="space-y-3">
      <DropZone label={label} busy={busy} onFile={(file) => void choose(file)}>
        {children ?? "Drop a CSV here, or"}
      </DropZone>
      {shown && <Problem>{shown}</Problem>}
    </div>
  );
}
