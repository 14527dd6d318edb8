import { MaestroError } from "../../errors.ts";
import { isLoopback } from "../../server/access.ts";
import type { Json } from "../../workflow/json.ts";
import type { ServerPlace } from "../store_option.ts";
import { refusal } from "./refusal.ts";
import { unreachable } from "./unreachable.ts";

/** The largest file of a token, in bytes. */
const MAX_TOKEN = 8 * 1024;

/** How long a server may take to answer, in milliseconds: a start may wait for its turn for half a minute. */
const PATIENCE = 60_000;

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
      throw unreachable(this.#url, thrown, PATIENCE);
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
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new MaestroError("USAGE", `Cannot use --server "${text}": ${WHERE}`);
  }
  if (url.username !== "" || url.password !== "") { // which is not to be told
    throw new MaestroError(
      "USAGE",
      "Cannot use a --server with a name or a password in it: who asks is told by a token, see --token-file",
    );
  }
  if (url.pathname === "/" && url.search === "" && url.hash === "") return url;
  throw new MaestroError("USAGE", `Cannot use --server "${text}" with a path in it: ${WHERE}`);
}

const WHERE = "write where it is, such as http://127.0.0.1:8080 or https://maestro.example.com";

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
  const why = token === ""
    ? "it is empty"
    : "it holds more than a token, which is one word of visible ASCII";
  throw new MaestroError("USAGE", `Cannot use --token-file "${path}": ${why}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
