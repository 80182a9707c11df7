/** Uploads a file with real progress, which `fetch` can't report. */
import { connection } from "../api/connection";
import { errorOf, Unreachable } from "../api/problem";
import type { components } from "../api/schema";
import { accessToken } from "../session/session";

export type Uploaded = components["schemas"]["DatasetView"];

interface Upload {
  name: string;
  file: Blob;
  /** Called with a share between 0 and 1. */
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

export async function uploadDataset({ name, file, onProgress, signal }: Upload): Promise<Uploaded> {
  const token = await accessToken();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/datasets?name=${encodeURIComponent(name)}`);
    request.setRequestHeader("content-type", "text/csv");
    if (token) request.setRequestHeader("authorization", `Bearer ${token}`);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onerror = () => {
      connection.lost();
      reject(new Unreachable());
    };
    request.onabort = () => reject(new Error("The upload was cancelled."));
    request.onload = () => {
      if (request.status === 201) return resolve(JSON.parse(request.responseText) as Uploaded);
      const headers = new Headers();
      for (const header of ["content-type", "retry-after"]) {
        const value = request.getResponseHeader(header);
        if (value) headers.set(header, value);
      }
      errorOf(new Response(request.responseText, { status: request.status, headers })).then(reject, reject);
    };
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

/** Why a file can't be a CSV, before megabytes are sent; null if it may be one. */
export async function refuseFile(file: Blob): Promise<string | null> {
  if (file.size === 0) return "The file is empty.";
  const start = new Uint8Array(await file.slice(0, SNIFFED_BYTES).arrayBuffer());
  // Texts in UTF-16 contain zero bytes, too; they begin with a byte order mark.
  const isUtf16 = (start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff);
  if (start.includes(0) && !isUtf16) return "This is not a text file. Export the table as CSV and upload that file.";
  return null;
}
