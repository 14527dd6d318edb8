import { type ErrorCode, MaestroError } from "../../errors.ts";
import { isLoopback } from "../../server/access.ts";
import type { Json } from "../../workflow/json.ts";
import type { ServerPlace } from "../store_option.ts";

/** The largest file of a token, in bytes. */
const MAX_TOKEN = 8 * 1024;

/** How long a server may take to answer, in milliseconds: a start may wait for its turn for half a minute. */
const PATIENCE = 60_000;

/** A server was asked, and it is not known whether it has done it. */
export class Unanswered extends MaestroError {}

/** What can be read of a server. */
export interface Reads {
  /** @param path below `/api/v1` @throws {MaestroError} what the server refuses, or `STORE_FAILED` */
  get<T>(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<T>;
}

/** The HTTP API of a server. */
export class Api implements Reads {
  readonly #url: string;
  readonly #token: string | null;

  private constructor(url: string, token: string | null) {
    this.#url = url;
    this.#token = token;
  }

  /** Reads where it is, and the token. Nothing is asked yet. @throws {MaestroError} `USAGE` */
  static async open({ server, tokenFile, insecure }: ServerPlace): Promise<Api> {
    const url = parseServer(server);
    if (tokenFile === undefined) return new Api(url.origin, null);
    if (!insecure) checkPrivate(url);
    return new Api(url.origin, await readToken(tokenFile));
  }

  get<T>(path: string, query: Readonly<Record<string, string | number | undefined>> = {}) {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]]
    );
    const search = given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
    return this.#ask<T>(path + search, { method: "GET" });
  }

  /** @param path below `/api/v1` @throws {MaestroError} what the server refuses, or `STORE_FAILED` */
  post<T>(path: string, body: Json) {
    return this.#ask<T>(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  async #ask<T>(path: string, { headers, ...request }: RequestInit): Promise<T> {
    const authorization = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.#url}/api/v1${path}`, {
        ...request,
        headers: { ...headers as Record<string, string>, ...authorization },
        redirect: "error", // a token is for this server
        signal: AbortSignal.timeout(PATIENCE),
      });
      text = await response.text();
    } catch (thrown) {
      throw unreachable(this.#url, thrown);
    }
    const answer = parsed(text);
    if (response.ok && answer !== undefined) return answer as T; // as its schema says
    throw refusal(this.#url, response.status, answer, this.#token !== null);
  }
}

/** A run's path below `/api/v1`. Child runs have slashes in their ids. */
export function runPath(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}

function parseServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOurs = url !== null && /^https?:$/.test(url.protocol) &&
    url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  if (isOurs) return url;
  throw new MaestroError(
    "USAGE",
    `Cannot use --server "${text}": write where it is, such as http://127.0.0.1:8080 or https://maestro.example.com`,
  );
}

/** A token is a key: it goes over no network where others could read it. @throws {MaestroError} `USAGE` */
function checkPrivate({ origin, protocol, hostname }: URL): void {
  if (protocol === "https:" || isLoopback(hostname)) return;
  throw new MaestroError(
    "USAGE",
    `Cannot send a token to ${origin}: whoever is on the way could read it; use https://, or say --insecure where something else keeps others out`,
  );
}

async function readToken(path: string): Promise<string> {
  const { readBytes } = await import("../read_file.ts");
  const text = new TextDecoder().decode(await readBytes(path, "--token-file", MAX_TOKEN));
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const why = token === "" ? "it is empty" : "a token is one word of visible ASCII";
  throw new MaestroError("USAGE", `Cannot use --token-file "${path}": ${why}`);
}

function unreachable(url: string, thrown: unknown): MaestroError {
  const isLate = thrown instanceof DOMException && thrown.name === "TimeoutError";
  const options = { cause: thrown };
  if (isLate) {
    const why = `The server at ${url} did not answer within ${PATIENCE / 1_000} s`;
    return new Unanswered("STORE_FAILED", why, options);
  }
  const [reason, wasSent] = reasonOf(thrown);
  return wasSent
    ? new Unanswered("STORE_FAILED", `Lost the server at ${url}: ${reason}`, options)
    : new MaestroError("STORE_FAILED", `Cannot reach the server at ${url}: ${reason}`, options);
}

/** What the network said last, without the way it took to say it; and whether the server was asked by then. */
function reasonOf(thrown: unknown): readonly [string, boolean] {
  if (!(thrown instanceof Error)) return [String(thrown), false];
  if (thrown.cause instanceof Error) return reasonOf(thrown.cause);
  const [, where, reason = thrown.message] =
    /client error \((\w+)\): (?:tcp connect error: )?(.*)$/s.exec(thrown.message) ?? [];
  return [reason.replace(/ \(os error \d+\)$/, ""), where !== undefined && where !== "Connect"];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `google.rpc.Status`, as far as it is believed. */
interface StatusLike {
  readonly message?: unknown;
  readonly details?: readonly { readonly reason?: unknown; readonly domain?: unknown }[];
}

function refusal(url: string, http: number, answer: unknown, hasToken: boolean): MaestroError {
  const { message, details } = (answer ?? {}) as StatusLike;
  const info = Array.isArray(details) ? details.find(({ domain }) => domain === "maestro") : null;
  const reason = info?.reason as ErrorCode | undefined;
  if (typeof message !== "string") {
    return new Unanswered(
      "STORE_FAILED",
      `The server at ${url} answered ${http}, and not as Maestro does`,
    );
  }
  if (reason === "UNAUTHENTICATED" && !hasToken) {
    return new MaestroError(
      reason,
      `The server at ${url} wants to know who asks: give --token-file with a file that holds your token`,
    );
  }
  // A defect of the server, or a store that it can't read, is not this program's.
  return reason === undefined || http >= 500
    ? new MaestroError("STORE_FAILED", `The server at ${url} can't do it: ${message}`)
    : new MaestroError(reason, message);
}
