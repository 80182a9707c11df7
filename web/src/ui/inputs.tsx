import type { ControlProps } from "./field";

interface TextProps extends ControlProps {
  value: string;
  placeholder?: string;
  disabled?: boolean;
  /** For a text that is code. */
  mono?: boolean;
  onChange: (text: string) => void;
}

/** One line of text that is neither completed nor spell-checked: a name, an expression. */
export function TextInput({ mono = false, onChange, ...props }: TextProps) {
  return (
    <input
      {...props}
      className={mono ? "control font-mono" : "control"}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

interface SelectProps<T extends string> extends ControlProps {
  /** Each value with its text. */
  options: readonly (readonly [value: T, text: string])[];
  value: T;
  /** Whether a value is shown and can't be chosen. */
  isDisabled?: (value: T) => boolean;
  onChange: (value: T) => void;
}

/** The options of a record that names each value. */
export function optionsOf<T extends string>(texts: Record<T, string>): [T, string][] {
  return Object.entries(texts) as [T, string][];
}

/** A list to choose one value from. */
export function Select<T extends string>({ options, value, isDisabled, onChange, ...props }: SelectProps<T>) {
  return (
    <select
      {...props}
      className="control"
      value={value}
      onChange={(event) => {
        const chosen = options.find(([one]) => one === event.target.value);
        if (chosen) onChange(chosen[0]);
      }}
    >
      {options.map(([one, text]) => (
        <option key={one} value={one} disabled={isDisabled?.(one)}>
          {text}
        </option>
      ))}
    </select>
  );
}
