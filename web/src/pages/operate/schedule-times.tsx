import { useState } from "react";
import { CATCH_UP, OVERLAP, PRESETS, type Times, timezones } from "../../lib/schedule";
import { Field } from "../../ui/field";
import { optionsOf, Select, TextInput } from "../../ui/inputs";

interface Props {
  times: Times;
  errors: Record<string, string>;
  onChange: (changes: Partial<Times>) => void;
}

/** When a schedule submits its job, as cells of a grid. */
export function TimesFields({ times: { cron, timezone, overlap, catch_up }, errors, onChange }: Props) {
  // A schedule may have a zone that this browser does not know.
  const [zones] = useState(() => [...new Set([...timezones(), timezone])]);
  return (
    <>
      <Field label="Usual times">
        {(props) => (
          <Select
            {...props}
            options={[["", "another expression"], ...PRESETS]}
            value={PRESETS.some(([preset]) => preset === cron) ? cron : ""}
            onChange={(preset) => preset && onChange({ cron: preset })}
          />
        )}
      </Field>
      <Field label="Cron expression" hint="minute, hour, day of month, month, day of week" error={errors.cron}>
        {(props) => <TextInput {...props} mono value={cron} onChange={(text) => onChange({ cron: text })} />}
      </Field>
      <Field label="Time zone" error={errors.timezone}>
        {(props) => (
          <Select
            {...props}
            options={zones.map((zone) => [zone, zone])}
            value={timezone}
            onChange={(zone) => onChange({ timezone: zone })}
          />
        )}
      </Field>
      <Field label="If a job of the schedule still runs" error={errors.overlap}>
        {(props) => (
          <Select
            {...props}
            options={optionsOf(OVERLAP)}
            value={overlap}
            onChange={(next) => onChange({ overlap: next })}
          />
        )}
      </Field>
      <Field label="Times that passed while the server was down" error={errors.catch_up}>
        {(props) => (
          <Select
            {...props}
            options={optionsOf(CATCH_UP)}
            value={catch_up}
            onChange={(next) => onChange({ catch_up: next })}
          />
        )}
      </Field>
    </>
  );
}

/** The fields of the API that these cells show. */
export const TIMES_FIELDS = ["cron", "timezone", "overlap", "catch_up"];
