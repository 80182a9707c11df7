import { useMutation } from "@tanstack/react-query";
import { api, data } from "../api/client";
import { download } from "../lib/download";
import type { VersionView } from "../lib/models";
import { Button } from "../ui/button";
import { toast } from "../ui/toast";

/** Downloads the model card of a version. */
export function ModelCard({ version: { name, version } }: { version: VersionView }) {
  const card = useMutation({
    mutationFn: () =>
      data(
        api.GET("/models/{name}/versions/{version}/card", {
          params: { path: { name, version } },
          parseAs: "text",
        }),
      ),
    onSuccess: (text) => download(`${name}-v${version}.md`, text, "text/markdown"),
    onError: toast.failed,
  });
  return (
    <Button
      look="quiet"
      busy={card.isPending}
      aria-label={`Download the card of version ${version}`}
      onClick={() => card.mutate()}
    >
      Card
    </Button>
  );
}
