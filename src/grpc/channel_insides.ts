/**
 * What grpc-js 1.14 knows about a channel and keeps to itself. Everything here does without where
 * a newer release keeps it elsewhere.
 *
 * @module
 */
import type { Client } from "@grpc/grpc-js";

/**
 * How many streams the servers behind a channel take at a time (SETTINGS_MAX_CONCURRENT_STREAMS).
 *
 * @returns the sum over the connections that there are; `undefined` where that can't be told
 */
export function streamLimit(client: Client): number | undefined {
  let limit: number | undefined;
  for (const subchannel of subchannels(client)) {
    const session = inside(inside(subchannel, "transport"), "session");
    const streams = inside(inside(session, "remoteSettings"), "maxConcurrentStreams");
    if (typeof streams === "number") limit = (limit ?? 0) + streams;
  }
  return limit;
}

/** Closes a channel, and what grpc-js forgets, open: connections that were still being made. */
export function closeChannel(client: Client): void {
  const sessions = [...subchannels(client)].map((subchannel) =>
    inside(inside(subchannel, "connector"), "session")
  );
  client.close();
  for (const session of sessions) {
    const destroy = inside(session, "destroy");
    if (typeof destroy === "function") destroy.call(session);
  }
}

function* subchannels(client: Client): Iterable<unknown> {
  const wrapped = inside(inside(client.getChannel(), "internalChannel"), "wrappedSubchannels");
  if (!(wrapped instanceof Set)) return;
  for (const one of wrapped) yield inside(one, "child");
}

function inside(of: unknown, key: string): unknown {
  return typeof of === "object" && of !== null ? Reflect.get(of, key) : undefined;
}
