import { type ReactNode, useEffect } from "react";

interface Props {
  title: string;
  /** Shown instead of the title, for example with a badge. */
  heading?: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** The frame of a page: document title, heading, actions. */
export function Page({ title, heading, about, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Trainyard`;
  }, [title]);
  return (
    <div className="mx-auto w-full max-w-6xl px-4 py-5 sm:px-6">
      <header className="mb-4 flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        {/* The basis decides whether the actions wrap, not the text, which may change while the page loads. */}
        <div className="min-w-0 flex-1 basis-48">
          <h1 className="flex flex-wrap items-center gap-2 text-lg font-semibold tracking-tight break-all">
            {heading ?? title}
          </h1>
          {about && <div className="mt-0.5 text-soft">{about}</div>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A titled part of a page. */
export function Panel({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="card min-w-0" aria-label={title}>
      <header className="flex min-h-10 flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-1.5">
        <h2 className="font-semibold">{title}</h2>
        {aside}
      </header>
      <div className="p-4">{children}</div>
    </section>
  );
}

/** Names with their values. A wide value has a row of its own. */
export function Facts({ items }: { items: [name: string, value: ReactNode, look?: "wide"][] }) {
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-3 lg:grid-cols-4">
      {items.map(([name, value, look]) => (
        <div key={name} className={look === "wide" ? "col-span-full min-w-0" : "min-w-0"}>
          <dt className="text-xs text-soft">{name}</dt>
          <dd className="mt-0.5 break-words tabular-nums">{value ?? "–"}</dd>
        </div>
      ))}
    </dl>
  );
}
