import type { ReactNode } from "react";
import { ApiError, isMissing, messageOf, Unreachable } from "../api/problem";
import { Button } from "./button";

/** Says what is missing and what to do next. */
export function EmptyState({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="card flex flex-col items-center px-6 py-14 text-center">
      <h2 className="text-base font-semibold">{title}</h2>
      <div className="mt-1 max-w-md text-soft">{children}</div>
      {action && <div className="mt-4 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

interface ErrorProps {
  error: unknown;
  retry?: () => void;
  /** Where to go if the content does not exist. */
  back?: ReactNode;
}

/** An error in place of content. Retrying never needs a reload. */
export function ErrorState({ error, retry, back }: ErrorProps) {
  const missing = isMissing(error);
  const refused = error instanceof ApiError && error.status === 403;
  const title = missing
    ? "This does not exist"
    : refused
      ? "You may not see this"
      : error instanceof Unreachable
        ? "Trainyard does not answer"
        : "This could not be loaded";
  return (
    <div role="alert" className="card flex flex-col items-center px-6 py-12 text-center">
      <h2 className="text-base font-semibold">{title}</h2>
      <p className="mt-1 max-w-lg break-words text-soft">{messageOf(error)}</p>
      {missing && <p className="mt-1 text-soft">Somebody may have deleted it, or the link may be wrong.</p>}
      {missing && back && <div className="mt-4">{back}</div>}
      {error instanceof ApiError && error.problem.request_id && !missing && (
        <p className="mt-2 font-mono text-xs text-soft">request {error.problem.request_id}</p>
      )}
      {retry && !missing && !refused && (
        <Button className="mt-4" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Placeholder rows of the size of the content, so that nothing moves when it arrives. */
export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <div className="card divide-y divide-line" aria-busy="true" aria-label="Loading" role="status">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows have no identity
        <div key={row} className="flex h-11 items-center gap-6 px-4">
          <div className="pulse h-2.5 w-1/4 rounded bg-raised" />
          <div className="pulse h-2.5 w-1/6 rounded bg-raised" />
          <div className="pulse h-2.5 w-1/3 rounded bg-raised" />
        </div>
      ))}
    </div>
  );
}
