import type { z } from "zod";
import type { Caller, Operations } from "../operations.ts";

/** What a route is asked. */
export interface Asked<Query, Body> {
  readonly operations: Operations;
  readonly who: Caller;
  /** What stands in place of `{id}` or `{name}`. */
  readonly id: string;
  readonly query: Query;
  readonly body: Body;
  /** Where a stream is to go on, as the header `Last-Event-ID` says. */
  readonly lastEventId: string | null;
}

/** One event of a stream, with the id to go on from. */
export interface StreamEvent {
  readonly id: string;
  readonly data: unknown;
}

/** Opens a stream, which ends when the signal aborts; refuses at once what it knows to be wrong. */
export type StreamOf<Query = unknown, Body = unknown> = (
  asked: Asked<Query, Body>,
  signal: AbortSignal,
) => AsyncIterable<StreamEvent> | Promise<AsyncIterable<StreamEvent>>;

/** One thing that the API does. */
export interface Route<Query = unknown, Body = unknown> {
  readonly method: "GET" | "POST";
  /** Below `/api/v1`, as OpenAPI writes it: `/runs/{id}:cancel`. */
  readonly path: string;
  /** Names it in the document. */
  readonly operation: string;
  readonly summary: string;
  readonly query: z.ZodType<Query>;
  /** `null`: it takes none. */
  readonly body: z.ZodType<Body> | null;
  /** For the document: what is answered, or what each event of the stream holds. */
  readonly answer: z.ZodType;
  readonly does:
    | { readonly kind: "answer"; readonly of: (asked: Asked<Query, Body>) => unknown }
    | { readonly kind: "stream"; readonly of: StreamOf<Query, Body> };
}

/** A route that answers, its parts checked against each other. */
export function answering<Query, Body>(
  route: Omit<Route<Query, Body>, "does"> & {
    readonly does: (asked: Asked<Query, Body>) => unknown;
  },
): Route {
  // What it is asked has passed its own schemas.
  return { ...route, does: { kind: "answer", of: route.does } } as unknown as Route;
}

/** A route that answers with a stream, its parts checked against each other. */
export function streaming<Query>(
  route: Omit<Route<Query, undefined>, "does" | "body" | "method"> & {
    readonly does: StreamOf<Query, undefined>;
  },
): Route {
  return {
    ...route,
    method: "GET",
    body: null,
    does: { kind: "stream", of: route.does },
  } as unknown as Route;
}
