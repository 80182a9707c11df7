import { useState } from "react";
import type { ColumnView } from "../api/queries";
import { formatCount, formatPercent, plural } from "../lib/format";
import type { Dtype, Profile, Reading } from "../lib/upload";
import { classes } from "../ui/classes";
import { Field } from "../ui/field";
import { type Column, Table } from "../ui/table";
import { Warnings } from "../ui/warnings";
import { ColumnValues } from "./column-values";

const TYPES: readonly Dtype[] = ["number", "boolean", "category", "datetime", "text"];

type FormatField = Exclude<keyof Reading, "types" | "missing">;

/** The choices of each decision; the first one detects. */
const FORMATS: readonly { field: FormatField; label: string; choices: readonly (readonly [string, string])[] }[] = [
  {
    field: "delimiter",
    label: "Delimiter",
    choices: [
      [",", "comma"],
      [";", "semicolon"],
      ["tab", "tab"],
      ["|", "vertical bar"],
    ],
  },
  {
    field: "decimal",
    label: "Decimal mark",
    choices: [
      [".", "point"],
      [",", "comma"],
    ],
  },
  {
    field: "encoding",
    label: "Encoding",
    choices: ["utf-8", "utf-16", "windows-1252", "iso-8859-2", "shift_jis", "gb18030"].map((name) => [name, name]),
  },
  {
    field: "header",
    label: "First row",
    choices: [
      ["present", "column names"],
      ["absent", "data"],
    ],
  },
];

interface Props {
  profile: Profile;
  reading: Reading;
  /** Whether a newer profile is loading. */
  busy: boolean;
  onChange: (reading: Reading) => void;
}

/** What the server would store: every column with its distribution, its type to overrule, and its warnings. */
export function ProfileView({ profile, reading, busy, onChange }: Props) {
  // The table shows the warnings of a column at the column.
  const ofColumns = new Set(profile.columns.flatMap(({ warnings }) => warnings));
  const warnings = profile.warnings.filter((warning) => !ofColumns.has(warning));
  const setType = (column: string, type: string) => {
    const { [column]: _, ...others } = reading.types;
    const chosen = TYPES.find((one) => one === type);
    onChange({ ...reading, types: chosen ? { ...others, [column]: chosen } : others });
  };
  const columns: Column<ColumnView>[] = [
    {
      name: "Column",
      cell: ({ name, warnings }) => (
        <>
          <span className="font-medium break-all">{name}</span>
          {warnings.map((warning) => (
            <span key={warning} className="block max-w-80 text-xs text-warn">
              {warning}
            </span>
          ))}
        </>
      ),
    },
    {
      name: "Type",
      cell: ({ name, dtype }) => {
        const chosen = reading.types[name];
        return (
          <select
            className={classes("control w-36", chosen && "border-accent")}
            aria-label={`Type of ${name}`}
            // A name with a comma can't be written in the request.
            disabled={name.includes(",")}
            value={chosen ?? ""}
            onChange={(event) => setType(name, event.target.value)}
          >
            <option value="">{chosen ? "as detected" : dtype}</option>
            {TYPES.filter((type) => chosen !== undefined || type !== dtype).map((type) => (
              <option key={type} value={type}>
                {type}
              </option>
            ))}
          </select>
        );
      },
    },
    {
      name: "Missing",
      cell: ({ missing }) => (missing === 0 || profile.rows === 0 ? "–" : formatPercent(missing / profile.rows)),
      numeric: true,
      wide: true,
    },
    { name: "Distinct", cell: ({ distinct }) => formatCount(distinct), numeric: true, wide: true },
    { name: "Values", cell: (column) => <ColumnValues column={column} rows={profile.rows} />, wide: true },
  ];
  return (
    <div className={classes("space-y-3", busy && "opacity-60")} aria-busy={busy}>
      <Warnings texts={warnings} />
      <Table label="Profile of the file" columns={columns} rows={profile.columns} rowKey={({ name }) => name} />
      <FormatFields profile={profile} reading={reading} onChange={onChange} />
    </div>
  );
}

type FormatProps = Pick<Props, "profile" | "reading" | "onChange">;

function FormatFields({ profile, reading, onChange }: FormatProps) {
  const { format } = profile;
  const nameOf = (field: FormatField, value: string) => {
    const choices = FORMATS.find((one) => one.field === field)?.choices ?? [];
    return choices.find(([one]) => one === value || (one === "tab" && value === "\t"))?.[1] ?? value;
  };
  return (
    <details>
      <summary className="text-soft">
        How the file is read: {format.encoding.toLowerCase()}, {nameOf("delimiter", format.delimiter)} between fields,{" "}
        decimal {nameOf("decimal", format.decimal)}
        {format.skipped_lines > 0 && `, ${plural(format.skipped_lines, "line")} skipped`}
      </summary>
      <div className="mt-3 grid gap-4 sm:grid-cols-2 lg:grid-cols-4">
        {FORMATS.map(({ field, label, choices }) => (
          <Field key={field} label={label}>
            {(props) => (
              <select
                {...props}
                className="control"
                value={reading[field] ?? ""}
                onChange={(event) => {
                  const { [field]: _, ...others } = reading;
                  onChange(event.target.value ? { ...others, [field]: event.target.value } : others);
                }}
              >
                <option value="">detected: {nameOf(field, format[field])}</option>
                {choices.map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </select>
            )}
          </Field>
        ))}
        <MissingField reading={reading} onChange={onChange} />
      </div>
    </details>
  );
}

/** Further texts for a missing value. They apply when the field is left, or with Enter: each change reads the file again. */
function MissingField({ reading, onChange }: Pick<Props, "reading" | "onChange">) {
  const [text, setText] = useState(reading.missing ?? "");
  const apply = () => {
    const { missing = "", ...others } = reading;
    const next = text.trim();
    if (next !== missing) onChange(next ? { ...others, missing: next } : others);
  };
  return (
    <Field label="Further missing values" hint="texts with commas between them, such as unknown,-9">
      {(props) => (
        <input
          {...props}
          className="control"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onBlur={apply}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            // The form would upload the file.
            event.preventDefault();
            apply();
          }}
        />
      )}
    </Field>
  );
}
