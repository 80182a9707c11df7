/** CSV as spreadsheets write it: quoted fields, commas, semicolons or tabs. */

export type Table = { header: string[]; rows: string[][] };

const DELIMITERS = [",", ";", "\t"];

/** Reads a CSV with a header row. Throws an error for a person if a row has another number of fields. */
export function parseCsv(text: string): Table {
  const content = text.replace(/^\uFEFF/, "");
  const records = recordsOf(content, delimiterOf(content)).filter((record) => record.length > 1 || record[0] !== "");
  const [header, ...rows] = records;
  if (!header) throw new Error("The file is empty.");
  const wrong = rows.findIndex((row) => row.length !== header.length);
  if (wrong >= 0) {
    const fields = rows[wrong]?.length ?? 0;
    throw new Error(`Row ${wrong + 1} has ${fields} fields, and the header has ${header.length}.`);
  }
  return { header: header.map((name) => name.trim()), rows };
}

/** The delimiter that the header contains most often. */
function delimiterOf(text: string): string {
  const header = text.slice(0, text.search(/\r|\n|$/)).replaceAll(/"[^"]*"/g, "");
  const counts = DELIMITERS.map((delimiter) => header.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}

function recordsOf(text: string, delimiter: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let field = "";
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (quoted) {
      if (character !== '"') field += character;
      else if (text.charAt(at + 1) === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (character === '"' && field === "") {
      quoted = true;
    } else if (character === delimiter) {
      record.push(field);
      field = "";
    } else if (character === "\n" || character === "\r") {
      if (character === "\r" && text.charAt(at + 1) === "\n") at += 1;
      records.push([...record, field]);
      record = [];
      field = "";
    } else {
      field += character;
    }
  }
  if (field !== "" || record.length > 0) records.push([...record, field]);
  return records;
}

/** Writes a CSV with commas; fields are quoted where needed. */
export function writeCsv({ header, rows }: Table): string {
  const quote = (field: string) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  return [header, ...rows].map((row) => `${row.map(quote).join(",")}\r\n`).join("");
}
