import type { GuardErrors, GuardField, GuardForm } from "../lib/guard";
import { Field } from "../ui/field";
import { TextInput } from "../ui/inputs";

interface Props {
  form: GuardForm;
  errors: GuardErrors;
  /** What happens if a limit is exceeded. */
  about: string;
  /** Whether the guard is the purpose of the form, and not an option of a change. */
  required?: boolean;
  onChange: (form: GuardForm) => void;
}

const FIELDS: readonly { field: GuardField; label: string; hint: string }[] = [
  { field: "failed", label: "Failed predictions, at most (%)", hint: "empty: no limit; refused requests do not count" },
  { field: "p99", label: "99 % are answered within (ms)", hint: "empty: no limit" },
  { field: "minutes", label: "Watch for (minutes)", hint: "afterwards the version stays" },
  { field: "least", label: "Decide from (predictions)", hint: "fewer predictions decide nothing" },
];

/** The limits that take a version back. */
export function GuardFields({ form, errors, about, required = false, onChange }: Props) {
  return (
    <fieldset className="space-y-3">
      <legend className="sr-only">Guard</legend>
      {!required && (
        <label className="flex items-start gap-2 font-medium text-ink">
          <input
            type="checkbox"
            className="mt-0.5 accent-accent-fill"
            checked={form.enabled}
            onChange={(event) => onChange({ ...form, enabled: event.target.checked })}
          />
          Take it back automatically if it fails or is slow
        </label>
      )}
      {form.enabled && (
        <>
          <p>{about}</p>
          <div className="grid gap-3 sm:grid-cols-2">
            {FIELDS.map(({ field, label, hint }) => (
              <Field key={field} label={label} hint={hint} error={errors[field]}>
                {(props) => (
                  <TextInput {...props} value={form[field]} onChange={(text) => onChange({ ...form, [field]: text })} />
                )}
              </Field>
            ))}
          </div>
        </>
      )}
    </fieldset>
  );
}
