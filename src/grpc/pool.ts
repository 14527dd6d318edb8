import type { ChannelOptions, Client } from "@grpc/grpc-js";
import type { Target } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import { channelOptions } from "./channel.ts";
import { parseEndpoint } from "./endpoint.ts";
import { type GrpcJs, loadGrpcJs } from "./grpc_js.ts";
import { InFlight } from "./inflight.ts";
import { readTlsFiles, tlsCredentials, tlsStamp } from "./tls.ts";

/** For how long TLS files are taken to be unchanged, in milliseconds. */
const TLS_CHECK_INTERVAL = 1_000;

/** For how long a replaced channel stays open for calls that are about to start on it, in milliseconds. */
const RETIREMENT = 5_000;

/** A channel to a service. */
export interface Connection {
  readonly grpc: GrpcJs;
  readonly client: Client;
  /** The channel's target as grpc-js spells it: what a call that never left has as its peer. */
  readonly target: string;
  /** Has to know of everything that goes by this channel. */
  readonly inFlight: InFlight;
}

/** Whether a channel has a connection at this moment; asking does not make it connect. */
export function isConnected({ grpc, client }: Connection): boolean {
  return client.getChannel().getConnectivityState(false) === grpc.connectivityState.READY;
}

interface Pooled {
  readonly connection: Connection;
  readonly stamp: string;
  checkedAt: number;
}

/** For how long closing waits for the calls in flight, in milliseconds. */
const CLOSING_PATIENCE = 2_000;

/** One channel for each target key, made when it is first asked for, and shared. */
export class ConnectionPool {
  readonly #byKey = new Map<string, Promise<Pooled>>();
  /** Replaced channels, which calls may still start on, with the timers that close them. */
  readonly #retired = new Map<Client, ReturnType<typeof setTimeout>>();
  readonly #inFlight = new InFlight();
  #closed = false;

  /**
   * The channel of a target. A TLS channel is made anew when its files have changed.
   *
   * @throws {MaestroError} `USAGE`, where the endpoint or a TLS file can't be used; `ENGINE_CLOSED`
   */
  async connect(target: Target): Promise<Connection> {
    if (this.#closed) {
      throw new MaestroError("ENGINE_CLOSED", "Cannot call services: Maestro is closing");
    }
    const known = this.#byKey.get(target.key);
    if (known === undefined) return (await this.#open(target)).connection;
    const pooled = await known;
    const { tls } = target.service;
    if (tls === null || performance.now() - pooled.checkedAt < TLS_CHECK_INTERVAL) {
      return pooled.connection;
    }
    pooled.checkedAt = performance.now();
    if (await tlsStamp(tls) === pooled.stamp) return pooled.connection;
    const { connection } = await this.#open(target);
    this.#retire(pooled.connection.client);
    return connection;
  }

  /** Closes every channel, once the calls in flight have ended; those that take too long are cancelled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#inFlight.drain(CLOSING_PATIENCE);
    for (const result of await Promise.allSettled(this.#byKey.values())) {
      if (result.status === "fulfilled") result.value.connection.client.close();
    }
    this.#byKey.clear();
    for (const [client, timer] of this.#retired) {
      clearTimeout(timer);
      client.close();
    }
    this.#retired.clear();
  }

  #open(target: Target): Promise<Pooled> {
    const opening = openConnection(target, this.#inFlight);
    const replaced = this.#byKey.get(target.key);
    this.#byKey.set(target.key, opening);
    opening.catch(() => {
      // A failure is not kept; while a rotated file is unreadable, the old channel serves on.
      if (this.#byKey.get(target.key) !== opening) return;
      if (replaced === undefined) this.#byKey.delete(target.key);
      else this.#byKey.set(target.key, replaced);
    });
    return opening;
  }

  /** grpc-js lets calls in flight finish on a closed channel, but calls about to start would fail. */
  #retire(client: Client): void {
    const timer = setTimeout(() => {
      this.#retired.delete(client);
      client.close();
    }, RETIREMENT);
    timer.unref();
    this.#retired.set(client, timer);
  }
}

async function openConnection(target: Target, inFlight: InFlight): Promise<Pooled> {
  const { service } = target;
  const endpoint = parseEndpoint(service.name, target.endpoint);
  const grpc = await loadGrpcJs();
  let credentials = grpc.credentials.createInsecure();
  let options: ChannelOptions = channelOptions(service);
  let stamp = "";
  if (service.tls !== null) {
    // Stamped before reading: a change in between is seen by the next check.
    stamp = await tlsStamp(service.tls);
    const files = await readTlsFiles(service.name, service.tls);
    const tls = tlsCredentials(grpc, service.name, service.tls, files, endpoint.ip);
    credentials = tls.credentials;
    options = { ...options, ...tls.options };
  }
  const client = new grpc.Client(endpoint.target, credentials, options);
  const connection = { grpc, client, target: client.getChannel().getTarget(), inFlight };
  return { connection, stamp, checkedAt: performance.now() };
}
