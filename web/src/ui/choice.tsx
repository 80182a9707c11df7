import { classes } from "./classes";

interface Props<T extends string> {
  label: string;
  values: readonly T[];
  value: T | undefined;
  /** The name of the choice without a value. */
  all?: string;
  onChange: (value: T | undefined) => void;
}

/** A row of buttons, of which one is pressed. */
export function Choice<T extends string>({ label, values, value, all = "all", onChange }: Props<T>) {
  return (
    <fieldset className="flex w-fit max-w-full min-w-0 overflow-x-auto rounded-md border border-control">
      <legend className="sr-only">{label}</legend>
      {[undefined, ...values].map((one) => (
        <button
          key={one ?? "all"}
          type="button"
          aria-pressed={value === one}
          className={classes(
            "h-7.5 px-2.5 whitespace-nowrap first:rounded-l-md last:rounded-r-md",
            value === one ? "bg-accent-soft font-medium text-accent" : "bg-panel text-soft hover:bg-raised",
          )}
          onClick={() => onChange(one)}
        >
          {one ?? all}
        </button>
      ))}
    </fieldset>
  );
}
