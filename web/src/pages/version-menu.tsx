import { useMutation } from "@tanstack/react-query";
import { authorized } from "../api/client";
import { errorOf } from "../api/problem";
import { downloadBlob } from "../lib/download";
import { proposedName } from "../lib/job-kind";
import type { VersionView } from "../lib/models";
import { Button } from "../ui/button";
import { MenuItem, Popover } from "../ui/popover";
import { toast } from "../ui/toast";

interface Props {
  version: VersionView;
  /** Only administrators may download the model itself, and delete it. */
  admin: boolean;
  onDelete: () => void;
}

/** The less frequent actions on a version: download its model card, the model as ONNX or the model file, and delete the version. */
export function VersionMenu({ version: { name, version }, admin, onDelete }: Props) {
  const base = `/models/${encodeURIComponent(name)}/versions/${version}`;
  const save = useMutation({
    mutationFn: async ({ path, file }: { path: string; file: string }) => {
      const response = await authorized(new Request(new URL(path, globalThis.location.origin)));
      if (!response.ok) throw await errorOf(response);
      downloadBlob(proposedName(response.headers.get("content-disposition"), file), await response.blob());
    },
    onError: toast.failed,
  });
  const label = `More about version ${version}`;
  if (save.isPending) {
    return (
      <Button look="quiet" busy aria-label={label}>
        More
      </Button>
    );
  }
  type Entry = [text: string, path: string, extension: string];
  const model: Entry[] = [
    ["Download as ONNX", `${base}/artifact?format=onnx`, "onnx"],
    ["Download the model file", `${base}/artifact`, "tym"],
  ];
  const files: Entry[] = [["Download the model card", `${base}/card`, "md"], ...(admin ? model : [])];
  return (
    <Popover
      label={label}
      content={(close) => (
        <>
          {files.map(([text, path, extension]) => (
            <MenuItem
              key={extension}
              onClick={() => {
                close();
                save.mutate({ path, file: `${name}-v${version}.${extension}` });
              }}
            >
              {text}
            </MenuItem>
          ))}
          {admin && (
            <MenuItem
              danger
              onClick={() => {
                close();
                onDelete();
              }}
            >
              Delete the version
            </MenuItem>
          )}
        </>
      )}
    >
      More
    </Popover>
  );
}
