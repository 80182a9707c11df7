import { copyText } from "../lib/copy";
import { Button } from "./button";
import { toast } from "./toast";

/** Copies a text and says so. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const copy = async () => {
    if (await copyText(text)) toast.done("Copied.");
    else toast.failed(new Error("The browser does not allow copying. Select the text and copy it by hand."));
  };
  return <Button onClick={() => void copy()}>{label}</Button>;
}

/** A block of code that scrolls by itself. */
export function Code({ label, text }: { label: string; text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs the keyboard
    <section aria-label={label} tabIndex={0} className="overflow-x-auto rounded-md bg-raised">
      <pre className="w-max min-w-full p-3 font-mono text-xs">{text}</pre>
    </section>
  );
}
