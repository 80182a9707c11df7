/** Predictions for the rows of a CSV. */
import type { Table } from "./csv";
import { readPrediction } from "./prediction";
import { type Feature, type FeatureValue, parseInput } from "./signature";

/** Rows of one request: small enough for the limit of a request body. */
export const BATCH_ROWS = 1_000;
/** A browser holds all rows in memory. */
export const MAX_ROWS = 100_000;
/** A page that reads a larger file would not answer for seconds. */
export const MAX_BYTES = 20_000_000;

type Row = Record<string, FeatureValue>;

/** The features of each row. Columns that are no features are left out. Throws an error that names row and column. */
export function instancesOf({ header, rows }: Table, features: Feature[]): Row[] {
  const columns = features.map((feature) => ({ feature, at: header.indexOf(feature.name) }));
  const found = columns.filter(({ at }) => at >= 0);
  if (found.length === 0) {
    throw new Error(
      `The file has no column of this model; its features are ${features.map(({ name }) => name).join(", ")}.`,
    );
  }
  if (rows.length === 0) throw new Error("The file has a header and no rows.");
  if (rows.length > MAX_ROWS) throw new Error(`The file has more than ${MAX_ROWS} rows; split it.`);
  return rows.map((row, number) => {
    const values: Row = {};
    for (const { feature, at } of found) {
      const parsed = parseInput(feature, row[at] ?? "");
      if ("error" in parsed) throw new Error(`Row ${number + 1}, column ${feature.name}: ${parsed.error}.`);
      if (parsed.value !== null) values[feature.name] = parsed.value;
    }
    return values;
  });
}

/**
 * What the server refused, in rows of the file: it counts from the first row of the request, which is row `from` of the file,
 * both from 0. Null if the error is about no row.
 */
export function refusedRow(fields: Record<string, string>, from: number): string | null {
  for (const [path, message] of Object.entries(fields)) {
    const [, row, column] = /^instances\[(\d+)\](?:\.(.*))?$/.exec(path) ?? [];
    if (row === undefined) continue;
    return `Row ${from + Number(row) + 1}${column ? `, column ${column}` : ""}: ${message}.`;
  }
  return null;
}

/** The table with the predictions as further columns. */
export function withPredictions(table: Table, predictions: Record<string, unknown>[], target: string): Table {
  const read = predictions.map((prediction) => readPrediction(prediction, target));
  const hasProbability = read.some(({ probability }) => probability !== null);
  const classes = [...new Set(read.flatMap(({ probabilities }) => probabilities.map(({ label }) => label)))].sort();
  return {
    header: [
      ...table.header,
      `predicted_${target}`,
      ...(hasProbability ? ["probability"] : []),
      ...classes.map((label) => `probability_${label}`),
    ],
    rows: table.rows.map((row, at) => {
      const prediction = read[at];
      const probabilityOf = (label: string) =>
        prediction?.probabilities.find((one) => one.label === label)?.value ?? "";
      return [
        ...row,
        prediction?.label ?? "",
        ...(hasProbability ? [String(prediction?.probability ?? "")] : []),
        ...classes.map((label) => String(probabilityOf(label))),
      ];
    }),
  };
}
