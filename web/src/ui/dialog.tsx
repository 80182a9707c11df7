import { type ReactNode, useEffect, useId, useRef } from "react";
import { Button } from "./button";
import { classes } from "./classes";

interface Props {
  title: string;
  children: ReactNode;
  /** The label of the button that acts. */
  action: string;
  /** The label of the button that closes. With null only the action closes, so that no stray click loses the content. */
  dismiss?: string | null;
  /** For content wider than a question. */
  wide?: boolean;
  busy?: boolean;
  danger?: boolean;
  disabled?: boolean;
  onAction: () => void;
  onClose: () => void;
}

/** A modal question. Mounted while it is open; Escape and a click beside it close it. */
export function Dialog({
  title,
  children,
  action,
  dismiss = "Keep",
  wide,
  busy,
  danger,
  disabled,
  onAction,
  onClose,
}: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a modal dialog without a handler
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      className={classes("appear card w-[calc(100%-1.5rem)] p-0 shadow-xl", wide ? "max-w-2xl" : "max-w-md")}
      onClose={onClose}
      onCancel={(event) => dismiss === null && event.preventDefault()}
      onClick={(event) => dismiss !== null && event.target === dialog.current && dialog.current?.close()}
    >
      <form
        className="p-5"
        onSubmit={(event) => {
          event.preventDefault();
          onAction();
        }}
      >
        <h2 id={heading} className="text-base font-semibold">
          {title}
        </h2>
        <div className="mt-2 space-y-3 text-soft">{children}</div>
        <div className="mt-5 flex justify-end gap-2">
          {dismiss && <Button onClick={() => dialog.current?.close()}>{dismiss}</Button>}
          <Button type="submit" look={danger ? "danger" : "primary"} busy={busy ?? false} disabled={disabled ?? false}>
            {action}
          </Button>
        </div>
      </form>
    </dialog>
  );
}
