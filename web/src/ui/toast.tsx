import { useSyncExternalStore } from "react";
import { messageOf } from "../api/problem";
import { classes } from "./classes";

interface Toast {
  id: number;
  tone: "good" | "bad";
  text: string;
}

const SHOWN_MS = { good: 5_000, bad: 10_000 };
let toasts: Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function replace(next: Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function show(tone: Toast["tone"], text: string): void {
  lastId += 1;
  const id = lastId;
  replace([...toasts.slice(-3), { id, tone, text }]);
  setTimeout(() => dismiss(id), SHOWN_MS[tone]);
}

function dismiss(id: number): void {
  replace(toasts.filter((toast) => toast.id !== id));
}

export const toast = {
  done: (text: string) => show("good", text),
  failed: (error: unknown) => show("bad", messageOf(error)),
};

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <section
      aria-label="Notifications"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-3 bottom-16 z-50 flex flex-col items-end gap-2 sm:right-4 sm:bottom-4"
    >
      {shown.map(({ id, tone, text }) => (
        <div
          key={id}
          data-toast={tone}
          className="appear card pointer-events-auto flex max-w-md items-start gap-3 px-3 py-2 shadow-lg"
        >
          <span
            className={classes("mt-1.5 size-2 shrink-0 rounded-full", tone === "good" ? "bg-good" : "bg-bad")}
            aria-hidden="true"
          />
          <p className="min-w-0 break-words">{text}</p>
          <button
            type="button"
            className="-mr-1 rounded px-1 text-soft hover:text-ink"
            aria-label="Dismiss"
            onClick={() => dismiss(id)}
          >
            ×
          </button>
        </div>
      ))}
    </section>
  );
}
