import type { ColumnView } from "../api/queries";
import { plural } from "../lib/format";
import { chosenFeatures, lostFeatures, type TrainingDraft, unusable } from "../lib/training";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { classes } from "../ui/classes";
import { Panel } from "../ui/page";
import { Warnings } from "../ui/warnings";

interface Props {
  draft: TrainingDraft;
  columns: ColumnView[];
  error: string | undefined;
  onChange: (changes: Partial<TrainingDraft>) => void;
}

/** The columns of the dataset as check boxes, with the reason where a column can't be a feature. */
export function FeaturesPart({ draft, columns, error, onChange }: Props) {
  const chosen = new Set(chosenFeatures(draft, columns));
  const lost = lostFeatures(draft, columns);
  const toggle = (name: string) => {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    onChange({ features: columns.map((column) => column.name).filter((column) => next.has(column)) });
  };
  return (
    <Panel
      title="Features"
      aside={
        <div className="flex items-center gap-2">
          <span className="text-soft">{plural(chosen.size, "feature")}</span>
          <Button look="quiet" onClick={() => onChange({ features: null })}>
            All
          </Button>
          <Button look="quiet" onClick={() => onChange({ features: [] })}>
            None
          </Button>
        </div>
      }
    >
      {error && (
        <p role="alert" className="mb-3 text-bad">
          {error}
        </p>
      )}
      {lost.length > 0 && (
        <div className="mb-3">
          <Warnings
            texts={[
              `The dataset does not have these columns any more: ${lost.join(", ")}. The job is trained without them.`,
            ]}
          />
        </div>
      )}
      <ul className="grid gap-x-6 gap-y-1 sm:grid-cols-2 lg:grid-cols-3">
        {columns
          .filter(({ name }) => name !== draft.target)
          .map((column) => {
            const reason = unusable(column);
            return (
              <li key={column.name}>
                <label className={classes("flex items-center gap-2 py-1", reason && "text-soft")}>
                  <input
                    type="checkbox"
                    className="accent-accent-fill"
                    disabled={reason !== null}
                    checked={chosen.has(column.name)}
                    onChange={() => toggle(column.name)}
                  />
                  <span className="min-w-0 truncate" title={column.name}>
                    {column.name}
                  </span>
                  <Badge>{reason ?? column.dtype}</Badge>
                  {reason === null && column.missing > 0 && (
                    <span className="text-xs text-soft" title={`${column.missing} rows without a value`}>
                      {plural(column.missing, "missing", "missing")}
                    </span>
                  )}
                </label>
                {chosen.has(column.name) &&
                  column.warnings.map((warning) => (
                    <p key={warning} className="pl-6 text-xs break-words text-warn">
                      {warning}
                    </p>
                  ))}
              </li>
            );
          })}
      </ul>
    </Panel>
  );
}
