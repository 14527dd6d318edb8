import type { ChannelOptions, Client } from "@grpc/grpc-js";
import type { Target } from "../engine/doors.ts";
import { channelOptions } from "./channel.ts";
import { parseEndpoint } from "./endpoint.ts";
import { type GrpcJs, loadGrpcJs } from "./grpc_js.ts";
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
}

interface Pooled {
  readonly connection: Connection;
  readonly stamp: string;
  checkedAt: number;
}

/** One channel for each target key, made when it is first asked for, and shared. */
export class ConnectionPool {
  readonly #byKey = new Map<string, Promise<Pooled>>();
  /** Replaced channels, which calls may still use. */
  readonly #retired = new Map<Client, number>();

  /**
   * The channel of a target. A TLS channel is made anew when its files have changed.
   *
   * @throws {MaestroError} `USAGE`, where the endpoint or a TLS file can't be used
   */
  async connect(target: Target): Promise<Connection> {
    const known = this.#byKey.get(target.key);
    if (known === undefined) return (await this.#open(target)).connection;
    const pooled = await known;
    const { tls } = target.service;
    if (tls === null || performance.now() - pooled.checkedAt < TLS_CHECK_INTERVAL) {
      return pooled.connection;
    }
    pooled.checkedAt = performance.now();
    if (await tlsStamp(tls) === pooled.stamp) return pooled.connection;
    const opened = this.#open(target);
    const { connection } = await opened;
    this.#retire(pooled.connection.client);
    return connection;
  }

  /** Closes every channel; calls in flight go on to their ends. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#byKey.values());
    this.#byKey.clear();
    for (const result of opened) {
      if (result.status === "fulfilled") result.value.connection.client.close();
    }
    for (const [client, timer] of this.#retired) {
      clearTimeout(timer);
      client.close();
    }
    this.#retired.clear();
  }

  #open(target: Target): Promise<Pooled> {
    const opening = openConnection(target);
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
    Deno.unrefTimer(timer);
    this.#retired.set(client, timer);
  }
}

async function openConnection(target: Target): Promise<Pooled> {
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
  const connection = { grpc, client, target: client.getChannel().getTarget() };
  return { connection, stamp, checkedAt: performance.now() };
}
