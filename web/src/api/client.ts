/** The typed client of the API. Every request carries the access token, and is sent again once after a refused one. */
import createClient from "openapi-fetch";
import { accessToken, replaceToken, session } from "../session/session";
import { connection } from "./connection";
import { errorOf, Unreachable } from "./problem";
import type { paths } from "./schema";

/** Sends an authenticated request. */
export async function authorized(request: Request): Promise<Response> {
  const token = await accessToken();
  // A request can be sent once; the copy is for the second attempt.
  const again = request.clone();
  const response = await connection.fetch(withToken(request, token));
  // The pages follow if the role of the account has changed; they show the refusal in any case.
  if (response.status === 403) session.readAccount().catch(() => undefined);
  if (response.status !== 401 || token === null) return response;
  const next = await replaceToken(token);
  return next === null ? response : connection.fetch(withToken(again, next));
}

function withToken(request: Request, token: string | null): Request {
  if (token !== null) request.headers.set("authorization", `Bearer ${token}`);
  return request;
}

export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "", fetch: authorized });

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of a successful response; throws the error of every other one. */
export async function data<T>(call: Promise<Outcome<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok) return data as T;
  // The body is read already.
  const headers = new Headers(response.headers);
  const body = typeof error === "string" ? error : JSON.stringify(error ?? {});
  const failure = await errorOf(new Response(body, { status: response.status, headers }));
  if (failure instanceof Unreachable) connection.lost();
  throw failure;
}
