import { ApiError } from "./api_error.ts";
import { compact, type JsonValue } from "./json.ts";
import { hearRole, token, tokenWanted } from "./token.ts";

/** What a request has besides its path. */
export interface RequestOptions {
  /** Sent as JSON with `POST`; without it, it is a `GET`. */
  readonly body?: JsonValue;
  readonly signal?: AbortSignal;
}

/** Asks the API; `path` goes on from `/api/v1`. @throws {ApiError} */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const { body, signal } = options;
  try {
    const response = await fetch(`/api/v1${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: headersFor(body === undefined ? {} : { "content-type": "application/json" }),
      body: body === undefined ? null : compact(body),
      signal: signal ?? null,
      cache: "no-store",
    });
    hearRole(response);
    const answer = await response.json().catch(() => null);
    if (response.ok) return answer;
    throw refused(response.status, answer);
  } catch (thrown) {
    if (signal?.aborted) throw thrown;
    throw ApiError.from(thrown);
  }
}

/** With the token, where there is one. */
export function headersFor(more: Readonly<Record<string, string>>): Record<string, string> {
  return token.value === null ? { ...more } : { ...more, authorization: `Bearer ${token.value}` };
}

/** Why the server refused; where it wants another token, the page asks for one. */
export function refused(status: number, body: JsonValue): ApiError {
  if (status === 401) tokenWanted.value = true;
  return ApiError.of(status, body);
}

/** A query as an address has it; without what is empty. */
export function queryText(query: Readonly<Record<string, string | number | null>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}
