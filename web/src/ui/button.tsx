import type { ButtonHTMLAttributes } from "react";
import { classes } from "./classes";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "bg-accent-fill text-on-accent border-transparent hover:brightness-110",
  plain: "bg-panel text-ink border-control hover:bg-raised",
  quiet: "bg-transparent text-soft border-transparent hover:bg-raised hover:text-ink",
  danger: "bg-bad-fill text-on-accent border-transparent hover:brightness-110",
};

/** The classes of a button, also for links that look like one. */
export function buttonClass(look: Look = "plain", extra?: string): string {
  return classes(
    "inline-flex h-8 shrink-0 items-center justify-center gap-1.5 rounded-md border px-3 text-sm font-medium whitespace-nowrap",
    "disabled:opacity-55",
    LOOKS[look],
    extra,
  );
}

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  /** Disables the button and shows that work is in progress. */
  busy?: boolean;
}

export function Button({ look = "plain", busy = false, className, children, disabled, ...props }: Props) {
  return (
    <button type="button" className={buttonClass(look, className)} disabled={disabled || busy} {...props}>
      {busy && <span className="pulse size-2 rounded-full bg-current" aria-hidden="true" />}
      {children}
    </button>
  );
}
