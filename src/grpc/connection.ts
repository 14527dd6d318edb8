import type { ChannelOptions, Client } from "@grpc/grpc-js";
import type { Target } from "../engine/doors.ts";
import { channelOptions, type KeepaliveRule } from "./channel.ts";
import { parseEndpoint } from "./endpoint.ts";
import { type GrpcJs, loadGrpcJs } from "./grpc_js.ts";
import { InFlight } from "./inflight.ts";
import { readTlsFiles, tlsCredentials, tlsStamp } from "./tls.ts";
import { TlsDoubts } from "./tls_doubts.ts";

/** A channel to a service. */
export interface Connection {
  readonly grpc: GrpcJs;
  readonly client: Client;
  /** The channel's target as grpc-js spells it: what a call that never left has as its peer. */
  readonly target: string;
  /** Has to know of everything that goes by this channel. */
  readonly inFlight: InFlight;
  /** Finds out why TLS failed; `null`: a plain channel. */
  readonly tls: TlsDoubts | null;
}

/** Whether a channel has a connection at this moment; asking does not make it connect. */
export function isConnected({ grpc, client }: Connection): boolean {
  return client.getChannel().getConnectivityState(false) === grpc.connectivityState.READY;
}

/** Makes channels of one target, all with the same files. */
export interface Connector {
  /** The state of the TLS files; `""` where there are none. */
  readonly stamp: string;
  /** A new channel, with connections of its own; it connects when it is first used. */
  open(): Connection;
}

/**
 * Reads what a target's channels are made with.
 *
 * @throws {MaestroError} `USAGE`, where the endpoint or a TLS file can't be used
 */
export async function connectorOf(
  { endpoint, shown, service }: Target,
  keepalive: KeepaliveRule,
): Promise<Connector> {
  const read = parseEndpoint(service.name, endpoint, shown);
  const grpc = await loadGrpcJs();
  let credentials = grpc.credentials.createInsecure();
  let options: ChannelOptions = channelOptions(service, keepalive);
  let stamp = "";
  let doubts: TlsDoubts | null = null;
  if (service.tls !== null) {
    // Stamped before reading: a change in between is seen by the next check.
    stamp = await tlsStamp(service.tls);
    const files = await readTlsFiles(service.name, service.tls);
    const tls = tlsCredentials(grpc, service.name, service.tls, files, read.ip);
    credentials = tls.credentials;
    options = { ...options, ...tls.options };
    doubts = new TlsDoubts(read, service.tls, files);
  }
  return {
    stamp,
    open() {
      const client = new grpc.Client(read.target, credentials, options);
      const target = client.getChannel().getTarget();
      return { grpc, client, target, inFlight: new InFlight(), tls: doubts };
    },
  };
}
