import { type ReactNode, useId } from "react";

export interface ControlProps {
  id: string;
  "aria-invalid": boolean;
  "aria-describedby": string | undefined;
}

interface Props {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | null | undefined;
  /** The control with the attributes that connect it with its label, hint and error. */
  children: (props: ControlProps) => ReactNode;
}

export function Field({ label, hint, error, children }: Props) {
  const id = useId();
  const described = hint || error ? `${id}-about` : undefined;
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block font-medium">
        {label}
      </label>
      {children({ id, "aria-invalid": Boolean(error), "aria-describedby": described })}
      {(hint || error) && (
        <p id={described} className={error ? "mt-1 text-xs text-bad" : "mt-1 text-xs text-soft"}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
