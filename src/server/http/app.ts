import { type Context, Hono } from "hono";
import type { z } from "zod";
import { checkOrigin } from "../access.ts";
import type { Gate } from "../gate.ts";
import { InvalidFields } from "../invalid_fields.ts";
import type { Caller, Operations } from "../operations.ts";
import type { Places } from "../places.ts";
import { type ApiStatus, isForTheLog, statusOf } from "../status.ts";
import { readBody } from "./body.ts";
import type { Connection } from "./listen.ts";
import { openApiDocument } from "./openapi.ts";
import type { Asked, Route, StreamOf } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { eventStream, type StreamOptions } from "./stream.ts";

/** What the HTTP side of a server is made of. */
export interface HttpOptions extends StreamOptions {
  readonly operations: Operations;
  /** Lets callers in. */
  readonly gate: Gate;
  /** Room for streams. */
  readonly streams: Places;
  /** The names that the server goes by, besides `localhost` and addresses. */
  readonly hosts: ReadonlySet<string>;
  /** For the OpenAPI document. */
  readonly version: string;
  /** Whether work may be sent here: resolves with why not. */
  readonly unready: () => Promise<string | null>;
  /** Ends the streams. */
  readonly draining: AbortSignal;
  /** Hears of a defect, so that it can be logged. */
  readonly onDefect: (thrown: unknown) => void;
  /** Prometheus text. @default there is none */
  readonly metrics?: () => Promise<string>;
  /** A file of the page; `null` where there is none at that path. @default there is no page */
  readonly page?: (path: string) => Response | null;
  /** How large a body may be, in bytes. @default 1 MiB */
  readonly maxBody?: number;
}

/** What every answer says to browsers: nothing is loaded but from here, and nobody frames it. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const NOTHING_HERE: ApiStatus = {
  name: "NOT_FOUND",
  http: 404,
  body: { code: 5, message: "There is nothing at this path", details: [] },
};

/** The HTTP API, health, metrics and the page. */
export function httpApp(options: HttpOptions): Hono {
  const app = new Hono({ getPath });
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) context.res.headers.set(name, value);
  });
  app.use(async ({ req: { raw: { headers, url }, path } }, next) => {
    const isProbe = path === "/healthz" || path === "/readyz";
    const host = headers.get("host") ?? new URL(url).host; // HTTP/2 says it elsewhere
    if (!isProbe) checkOrigin(host, headers.get("origin"), options.hosts);
    await next();
  });
  for (const route of ROUTES) {
    app.on(route.method, [`/api/v1${internal(route.path)}`], async (context) => {
      const asked = await askedOf(context, route, options);
      context.header("maestro-role", asked.who.role); // so that the page offers what may be done
      if (route.does.kind === "answer") return json(context, await route.does.of(asked));
      return await stream(context, route.does.of, asked, options);
    });
  }
  let document: unknown;
  app.get("/api/v1/openapi.json", (context) => {
    callerOf(context, options.gate);
    return json(context, document ??= openApiDocument(ROUTES, options.version));
  });
  addHealth(app, options);
  app.notFound((context) => {
    const { page } = options;
    const isPage = ["GET", "HEAD"].includes(context.req.method) &&
      !context.req.path.startsWith("/api/");
    return isPage && page?.(context.req.path) || refuse(context, NOTHING_HERE);
  });
  app.onError((thrown, context) => {
    if (isForTheLog(thrown)) options.onDefect(thrown);
    return refuse(context, statusOf(thrown));
  });
  return app;
}

function addHealth(app: Hono, { unready, metrics, gate }: HttpOptions): void {
  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", async (context) => {
    const why = await unready();
    return why === null ? context.text("ready\n") : context.text(`not ready: ${why}\n`, 503);
  });
  if (metrics === undefined) return;
  app.get("/metrics", async (context) => {
    callerOf(context, gate);
    return context.body(await metrics(), 200, { "content-type": "text/plain; version=0.0.4" });
  });
}

/** A verb after a colon is a segment of its own to the router, which knows no other names of parts. */
function getPath(request: Request): string {
  const { pathname } = new URL(request.url);
  return internal(pathname);
}

const VERBS = new RegExp(
  `:(${[...new Set(ROUTES.flatMap(({ path }) => /:(\w+)$/.exec(path)?.[1] ?? []))].join("|")})$`,
);

function internal(path: string): string {
  return path.replace(VERBS, "/~$1").replaceAll(/\{\w+\}/g, ":id");
}

async function askedOf(
  context: Context,
  route: Route,
  { operations, gate, maxBody = 1024 * 1024 }: HttpOptions,
): Promise<Asked<unknown, unknown>> {
  const request = context.req.raw;
  const who = callerOf(context, gate);
  const query = checked(route.query, queryOf(context.req.url), "");
  const body = route.body === null
    ? undefined
    : checked(route.body, await readBody(request, maxBody), "body");
  return {
    operations,
    who,
    id: context.req.param("id") ?? "",
    query,
    body,
    lastEventId: request.headers.get("last-event-id"),
  };
}

function queryOf(url: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URL(url).searchParams) {
    if (Object.hasOwn(query, name)) {
      throw new InvalidFields([{ field: name, description: "it is there twice" }]);
    }
    Object.defineProperty(query, name, { value, enumerable: true }); // also one named __proto__
  }
  return query;
}

/** What a schema takes. @throws {InvalidFields} */
function checked(schema: z.ZodType, value: unknown, whole: string): unknown {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new InvalidFields(
    error.issues.slice(0, 100).map(({ path, message }) => ({
      field: path.length === 0 ? whole : path.join("."),
      description: message,
    })),
  );
}

/** Who asks, as of now. @throws {MaestroError} `UNAUTHENTICATED` */
function callerOf({ req, env }: Context, gate: Gate): Caller {
  const { remoteAddress } = env as Partial<Connection> | undefined ?? {};
  return gate.callerOf(req.header("authorization") ?? null, {
    action: `${req.method} ${new URL(req.url).pathname}`,
    from: remoteAddress ?? null,
  });
}

async function stream(
  context: Context,
  of: StreamOf,
  asked: Asked<unknown, unknown>,
  options: HttpOptions,
): Promise<Response> {
  const { draining } = options;
  const leave = options.streams.take();
  const abort = new AbortController();
  const end = () => abort.abort();
  draining.addEventListener("abort", end);
  abort.signal.addEventListener("abort", () => {
    leave();
    draining.removeEventListener("abort", end);
  }, { once: true });
  try {
    const events = await of(asked, abort.signal);
    if (context.req.method === "HEAD" || draining.aborted) {
      end();
      return context.body(null);
    }
    const checkReader = () => void callerOf(context, options.gate);
    return context.body(eventStream(events, abort, { ...options, checkReader }), 200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
  } catch (thrown) {
    end();
    throw thrown;
  }
}

function json(context: Context, value: unknown): Response {
  return context.body(JSON.stringify(value), 200, {
    "content-type": "application/json",
    "cache-control": "no-store",
  });
}

function refuse(context: Context, { http, body }: ApiStatus): Response {
  return context.body(JSON.stringify(body), http, {
    "content-type": "application/json",
    "cache-control": "no-store",
    ...(http === 401 && { "www-authenticate": "Bearer" }),
    ...(http === 429 || http === 503 ? { "retry-after": "1" } : {}),
  });
}
