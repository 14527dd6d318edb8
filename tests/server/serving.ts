/** A real server, as its users have it: `maestro serve` as a process, on a free port of 127.0.0.1. */
import assert from "node:assert/strict";
import { TextLineStream } from "./lines.ts";
import { fromFileUrl } from "../support/paths.ts";

const MOD = fromFileUrl(new URL("../../mod.ts", import.meta.url));

/** How long a server gets to say that it serves, or to end, in milliseconds. */
const PATIENCE = 60_000;

/** How a server is started. */
export interface ServingOptions {
  /** The folder of workflows. */
  readonly workflows: string;
  /** @default memory */
  readonly store?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What certificates its clients trust, in PEM. */
  readonly ca?: string;
  /** What each request of {@linkcode Serving.ask} carries. */
  readonly token?: string;
}

/** An answer of the server. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- what a test expects of it is what it asserts
  readonly body: any;
}

/** A server that serves. */
export interface Serving extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Every line of its log so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Asks with a JSON body, and a path below `/api/v1`, or any that begins otherwise. */
  ask(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Answered>;
  /** The events of a stream as they come. */
  events(path: string, headers?: HeadersInit): EventReader;
  /** Resolves with the first line of the log that fits. */
  logged(fits: (line: Readonly<Record<string, unknown>>) => boolean): Promise<unknown>;
  kill(signal: Deno.Signal): void;
  /** The exit code, once it has ended. */
  ended(): Promise<number>;
}

/** One server-sent event. */
export interface SentEvent {
  readonly id: string;
  readonly event: string;
  // deno-lint-ignore no-explicit-any -- as above
  readonly data: any;
}

/** Reads a stream; leaving the loop ends it. */
export interface EventReader extends AsyncIterable<SentEvent> {
  /** Resolves with the answer's status, once it is there. */
  readonly status: Promise<number>;
}

/** Starts a server, and waits until it serves. */
export async function serve(options: ServingOptions): Promise<Serving> {
  const { workflows, store = "memory", args = [], env = {}, token, ca } = options;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      MOD,
      "serve",
      "--workflows",
      workflows,
      "--store",
      store,
      "--log-format",
      "json",
      ...(args.includes("--http") ? [] : ["--http", "127.0.0.1:0"]),
      ...args,
    ],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log: Record<string, unknown>[] = [];
  const listeners = new Set<() => void>();
  const reading = (async () => {
    for await (const line of child.stderr.pipeThrough(new TextLineStream())) {
      log.push(line.startsWith("{") ? JSON.parse(line) : { message: line });
      for (const hear of listeners) hear();
    }
    for (const hear of listeners) hear();
  })();
  const status = child.status;
  let isOver = false;
  status.then(() => isOver = true);

  const logged: Serving["logged"] = async (fits) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const late = setTimeout(() => reject(new Error(`Not logged:\n${textOf(log)}`)), PATIENCE);
    const look = () => {
      const found = log.find(fits);
      if (found !== undefined) resolve(found);
      else if (isOver) reject(new Error(`The server has ended:\n${textOf(log)}`));
    };
    listeners.add(look);
    status.then(() => reading).then(look);
    look();
    return await promise.finally(() => {
      clearTimeout(late);
      listeners.delete(look);
    });
  };

  const { url } = await logged(({ message }) => message === "serving") as { url: string };
  const client = Deno.createHttpClient({ ...(ca !== undefined && { caCerts: [ca] }) });
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const base = url.replace("//0.0.0.0:", "//127.0.0.1:");
  const target = (path: string) =>
    base + (/^\/(?!runs|workflows|services|events|openapi)/.test(path) ? path : `/api/v1${path}`);
  return {
    url,
    pid: child.pid,
    log,
    logged,
    async ask(method, path, body, headers) {
      const response = await fetch(target(path), {
        method,
        client,
        headers: {
          ...(body !== undefined && { "content-type": "application/json" }),
          ...authorization,
          ...Object.fromEntries(new Headers(headers)),
        },
        ...(body !== undefined && { body: isRaw(body) ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type") === "application/json";
      return {
        status: response.status,
        headers: response.headers,
        body: isJson ? JSON.parse(text) : text,
      };
    },
    events: (path, headers) =>
      readEvents(fetch(target(path), {
        client,
        headers: { ...authorization, ...Object.fromEntries(new Headers(headers)) },
      })),
    kill: (signal) => child.kill(signal),
    async ended() {
      const { code } = await status;
      await reading;
      return code;
    },
    async [Symbol.asyncDispose]() {
      if (!isOver) child.kill("SIGKILL");
      await status;
      await reading;
      client.close();
    },
  };
}

function readEvents(asking: Promise<Response>): EventReader {
  const status = asking.then(({ status }) => status);
  status.catch(() => {}); // who reads on hears of it
  return {
    status,
    async *[Symbol.asyncIterator]() {
      const response = await asking;
      if (response.headers.get("content-type") !== "text/event-stream") {
        assert.fail(`No stream: ${await response.text()}`);
      }
      let event: Record<string, string> = {};
      for await (const line of response.body!.pipeThrough(new TextLineStream())) {
        if (line === "") {
          if (event["data"] !== undefined) {
            yield {
              id: event["id"] ?? "",
              event: event["event"] ?? "message",
              data: JSON.parse(event["data"]),
            };
          }
          event = {};
          continue;
        }
        const [, name, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
        if (name) event[name] = value ?? "";
      }
    },
  };
}

function textOf(log: readonly unknown[]): string {
  return log.map((line) => JSON.stringify(line)).join("\n");
}

/** What a raw request is answered with: `fetch` would not let us say such things. */
export async function askRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(text));
  let said = "";
  const decoder = new TextDecoder();
  for await (const part of connection.readable) {
    said += decoder.decode(part, { stream: true });
    if (said.includes("\r\n\r\n")) break;
  }
  return said;
}

function isRaw(body: unknown): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === "string" || body instanceof Uint8Array;
}
