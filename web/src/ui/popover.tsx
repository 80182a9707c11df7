import { type ReactNode, type ToggleEvent, useCallback, useEffect, useId, useRef, useState } from "react";
import { buttonClass } from "./button";

interface Props {
  /** What the button shows. */
  children: ReactNode;
  /** The id of the button. */
  id?: string;
  /** The name of the button, if its content does not say enough. */
  label?: string;
  buttonLook?: string;
  /** The content, mounted while the panel is open; `close` closes it. */
  content: (close: () => void) => ReactNode;
}

const GAP = 4;
const FIRST = "[autofocus], input:not([disabled]), select, button:not([disabled]), a[href]";

/** A button with a small panel beside it. Escape and a click elsewhere close the panel; the focus returns to the button. */
export function Popover({ children, id: buttonId, label, buttonLook, content }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const prepare = (event: ToggleEvent<HTMLDivElement>) => {
    setOpen(event.newState === "open");
    // Its size is known after it has opened.
    if (panel.current) panel.current.style.visibility = "hidden";
  };
  /** Below the button, or above it where the window ends: not every browser has anchor positioning. */
  const place = useCallback(() => {
    const anchor = button.current?.getBoundingClientRect();
    const box = panel.current;
    if (!anchor || !box) return;
    const { width, height } = box.getBoundingClientRect();
    const below = anchor.bottom + GAP;
    const top = below + height > window.innerHeight ? Math.max(GAP, anchor.top - height - GAP) : below;
    box.style.left = `${Math.max(GAP, Math.min(anchor.left, window.innerWidth - width - GAP))}px`;
    box.style.top = `${top}px`;
  }, []);
  const show = (event: ToggleEvent<HTMLDivElement>) => {
    if (event.newState !== "open" || !panel.current) return;
    place();
    panel.current.style.visibility = "visible";
    panel.current.querySelector<HTMLElement>(FIRST)?.focus();
  };
  // The content may change its size, for example from a menu to an editor.
  useEffect(() => {
    if (!open || !panel.current) return;
    const observer = new ResizeObserver(place);
    observer.observe(panel.current);
    return () => observer.disconnect();
  }, [open, place]);
  return (
    <>
      <button
        ref={button}
        id={buttonId}
        type="button"
        popoverTarget={id}
        aria-label={label}
        aria-expanded={open}
        className={buttonLook ?? buttonClass("quiet")}
      >
        {children}
      </button>
      <div
        ref={panel}
        id={id}
        popover="auto"
        className="card inset-auto m-0 max-h-[80dvh] max-w-[calc(100vw-8px)] overflow-auto p-1.5 text-ink shadow-lg"
        onBeforeToggle={prepare}
        onToggle={show}
      >
        {open && content(() => panel.current?.hidePopover())}
      </div>
    </>
  );
}

interface ItemProps {
  children: ReactNode;
  danger?: boolean;
  onClick: () => void;
}

/** One line of a menu in a popover. */
export function MenuItem({ children, danger, onClick }: ItemProps) {
  return (
    <button
      type="button"
      className={`block w-full rounded px-2.5 py-1.5 text-left whitespace-nowrap hover:bg-raised ${danger ? "text-bad" : ""}`}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
