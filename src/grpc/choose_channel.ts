import { streamLimit } from "./channel_insides.ts";
import type { Connection } from "./connection.ts";

/** What holds a channel that calls may go by. */
export interface Choosable {
  readonly connection: Pick<Connection, "client" | "inFlight">;
}

/**
 * The most streams that one connection is given where there are others: what HTTP/2 recommends
 * servers to take at least (RFC 9113 §6.5.2), and what most that set a limit do take.
 */
const MOST_STREAMS = 100;

/**
 * Which of a service's channels the next call goes by: the first that has a connection with a
 * stream to spare. So few connections carry much each, which is faster (frames of many calls go
 * out in one write), and more channels cost nothing until the server's limit is reached. Where
 * there is none, the channel with the least in flight is taken, which also makes its connection.
 */
export function chooseChannel<C extends Choosable>(channels: readonly [C, ...C[]]): C {
  let [least] = channels;
  if (channels.length === 1) return least;
  for (const channel of channels) {
    const { client, inFlight: { size } } = channel.connection;
    if (size < MOST_STREAMS && size < limitOf(client)) return channel;
    if (size < least.connection.inFlight.size) least = channel;
  }
  return least;
}

/** For how long what a server said it takes is believed, in milliseconds: asking costs more than choosing. */
const BELIEVED = 20;

const limits = new WeakMap<object, { readonly at: number; readonly limit: number }>();

/** How many streams a channel takes; none where it has no connection. */
function limitOf(client: Connection["client"]): number {
  const now = performance.now();
  const known = limits.get(client);
  if (known !== undefined && now - known.at < BELIEVED) return known.limit;
  const limit = streamLimit(client);
  if (limit !== undefined) limits.set(client, { at: now, limit });
  return limit ?? 0; // not kept: a connection that is being made is here any moment
}
