import { controlOf, type Feature, remarkOn } from "../lib/signature";
import { Field } from "../ui/field";

interface Props {
  feature: Feature;
  text: string;
  error: string | undefined;
  onChange: (text: string) => void;
  /** The person has left the field, so that its text is complete. */
  onLeave: () => void;
}

/** The input of one feature, in the feature's own terms. */
export function FeatureInput({ feature, text, error, onChange, onLeave }: Props) {
  const control = controlOf(feature);
  const range =
    control.kind === "number" && control.min !== null
      ? `${control.min} to ${control.max} in training`
      : feature.dtype === "datetime"
        ? "a date, with or without a time, written as in the dataset"
        : null;
  return (
    <Field label={feature.name} error={error} hint={remarkOn(feature, text) ?? range}>
      {(props) =>
        control.kind === "choice" ? (
          <select {...props} className="control" value={text} onChange={(event) => onChange(event.target.value)}>
            <option value="">missing</option>
            {control.values.map((value) => (
              <option key={value} value={value}>
                {value}
              </option>
            ))}
          </select>
        ) : control.kind === "number" ? (
          <div className="flex gap-1">
            <input
              {...props}
              inputMode="decimal"
              className="control"
              placeholder="missing"
              value={text}
              onChange={(event) => onChange(event.target.value)}
              onBlur={onLeave}
              onKeyDown={(event) => {
                const by = { ArrowUp: control.step, ArrowDown: -control.step }[event.key];
                if (by === undefined) return;
                event.preventDefault();
                onChange(stepped(text, by, control.min));
              }}
            />
            <Step
              label={`Less ${feature.name}`}
              sign="−"
              onClick={() => onChange(stepped(text, -control.step, control.min))}
            />
            <Step
              label={`More ${feature.name}`}
              sign="+"
              onClick={() => onChange(stepped(text, control.step, control.min))}
            />
          </div>
        ) : (
          <>
            <input
              {...props}
              className="control"
              placeholder="missing"
              list={`${props.id}-values`}
              value={text}
              onBlur={onLeave}
              onChange={(event) => onChange(event.target.value)}
            />
            <datalist id={`${props.id}-values`}>
              {control.suggestions.map((value) => (
                <option key={value} value={value} />
              ))}
            </datalist>
          </>
        )
      }
    </Field>
  );
}

function Step({ label, sign, onClick }: { label: string; sign: string; onClick: () => void }) {
  return (
    <button
      type="button"
      aria-label={label}
      // The arrow keys of the input do the same.
      tabIndex={-1}
      className="h-8 w-8 shrink-0 rounded-md border border-control bg-panel hover:bg-raised"
      onClick={onClick}
    >
      {sign}
    </button>
  );
}

/** The next value. An empty input begins at the minimum. */
function stepped(text: string, by: number, min: number | null): string {
  const now = Number(text.replace(",", "."));
  if (text.trim() === "" || !Number.isFinite(now)) return String(Math.ceil(min ?? 0));
  return String(Number((now + by).toFixed(6)));
}
