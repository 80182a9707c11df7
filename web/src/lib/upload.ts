/** Uploads a file with real progress, which `fetch` can't report. */
import { authorized } from "../api/client";
import { connection } from "../api/connection";
import { errorOf, Unreachable } from "../api/problem";
import type { components } from "../api/schema";
import { accessToken, replaceToken } from "../session/session";
import { formatBytes } from "./format";

type Table = components["schemas"]["TableView"];
export type Uploaded = components["schemas"]["DatasetView"];
export type Dtype = components["schemas"]["DtypeView"];
/** The profile of a file that is not stored. */
export type Profile = Table;

/** How the file is read. What is left out is detected. */
export interface Reading {
  delimiter?: string;
  decimal?: string;
  encoding?: string;
  header?: string;
  /** Further texts for a missing value, with commas between them. */
  missing?: string;
  /** Types by column. */
  types: Record<string, Dtype>;
}

/** The path with the decisions of a person. */
export function pathOfUpload(name: string, { types, ...format }: Reading, dryRun: boolean): string {
  const query = new URLSearchParams({ name, ...format });
  const typed = Object.entries(types).map(([column, type]) => `${column}:${type}`);
  if (typed.length > 0) query.set("types", typed.join(","));
  if (dryRun) query.set("dry_run", "true");
  return `/datasets?${query}`;
}

/** What the server would store; it stores nothing. */
export async function profileOf(body: Blob, reading: Reading, signal: AbortSignal): Promise<Profile> {
  const headers = { "content-type": "text/csv" };
  const path = pathOfUpload("profile", reading, true);
  const response = await authorized(new Request(path, { method: "POST", headers, body, signal }));
  if (!response.ok) throw await errorOf(response);
  return (await response.json()) as Profile;
}

interface Upload {
  name: string;
  file: Blob;
  reading: Reading;
  /** Called with a share between 0 and 1. */
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

export async function uploadDataset(upload: Upload): Promise<Uploaded> {
  const token = await accessToken();
  const response = await send(upload, token);
  // The session may have been replaced, as for every other request.
  const next = response.status === 401 && token !== null ? await replaceToken(token) : null;
  const last = next === null ? response : await send(upload, next);
  if (last.status !== 201) throw await errorOf(last);
  return (await last.json()) as Uploaded;
}

function send({ name, file, reading, onProgress, signal }: Upload, token: string | null): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", pathOfUpload(name, reading, false));
    request.setRequestHeader("content-type", "text/csv");
    if (token) request.setRequestHeader("authorization", `Bearer ${token}`);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onerror = () => {
      connection.lost();
      reject(new Unreachable());
    };
    request.onabort = () => reject(new Error("The upload was cancelled."));
    request.onload = () => {
      const headers = new Headers();
      for (const header of ["content-type", "retry-after"]) {
        const value = request.getResponseHeader(header);
        if (value) headers.set(header, value);
      }
      resolve(new Response(request.responseText, { status: request.status, headers }));
    };
    // The upload may have been cancelled while the token was renewed.
    if (signal.aborted) return reject(new Error("The upload was cancelled."));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

const MAX_NAME = 64;

/** A dataset name from a file name: `Sales 2024 (Q1).csv` becomes `sales-2024-q1`. */
export function nameOfFile(fileName: string): string {
  const stem = fileName.toLowerCase().replace(/\.(csv|txt|tsv)(\.gz)?$/, "");
  const name = stem.replace(/[^a-z0-9._-]+/g, "-").replace(/^[^a-z0-9]+/, "");
  return name.slice(0, MAX_NAME).replace(/[^a-z0-9]+$/, "");
}

const SNIFFED_BYTES = 4096;

/** Why a file can't be a table, before megabytes are sent; null if it may be one. */
export async function refuseFile(file: Blob, maxBytes = Number.POSITIVE_INFINITY): Promise<string | null> {
  if (file.size === 0) return "The file is empty.";
  const start = new Uint8Array(await file.slice(0, SNIFFED_BYTES).arrayBuffer());
  const isGzip = start[0] === 0x1f && start[1] === 0x8b;
  // Texts in UTF-16 contain zero bytes, too; they begin with a byte order mark.
  const isUtf16 = (start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff);
  if (start.includes(0) && !isUtf16 && !isGzip) {
    return "This is not a text file. Export the table as CSV and choose that file.";
  }
  if (file.size > maxBytes) {
    return `The file has ${formatBytes(file.size)}, and at most ${formatBytes(maxBytes)} are possible. Remove rows or columns, or split the file.`;
  }
  return null;
}
