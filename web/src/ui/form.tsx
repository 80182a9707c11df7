import type { ReactNode } from "react";

interface Props {
  className?: string;
  children: ReactNode;
  onSubmit: () => void;
}

/** A form whose fields show their errors themselves: the browser neither checks nor sends it. */
export function Form({ className = "space-y-4", children, onSubmit }: Props) {
  return (
    <form
      noValidate
      className={className}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}

/** Why a request was refused. Screen readers read it at once. */
export function Problem({ children }: { children: ReactNode }) {
  return (
    <div role="alert" className="rounded-md bg-bad-soft px-3 py-2 break-words text-bad">
      {children}
    </div>
  );
}
