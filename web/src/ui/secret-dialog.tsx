import type { ReactNode } from "react";
import { CopyButton } from "./code";
import { Dialog } from "./dialog";

interface Props {
  title: string;
  about: ReactNode;
  secret: string;
  /** Finds the secret in tests. */
  testId: string;
  /** When the secret ends to work. */
  expiry: string;
  onClose: () => void;
}

/** Shows a secret that nobody can read again. Only its button closes it. */
export function SecretDialog({ title, about, secret, testId, expiry, onClose }: Props) {
  return (
    <Dialog title={title} action="I have copied it" dismiss={null} onAction={onClose} onClose={onClose}>
      <p>{about}</p>
      <div className="flex flex-wrap items-center gap-2 rounded-md bg-raised px-3 py-2">
        <code data-testid={testId} className="min-w-0 flex-1 font-mono text-base break-all text-ink">
          {secret}
        </code>
        <CopyButton text={secret} />
      </div>
      <p>{expiry}</p>
    </Dialog>
  );
}
