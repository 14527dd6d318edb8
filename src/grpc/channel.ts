import type { ChannelOptions } from "@grpc/grpc-js";
import type { Service } from "../workflow/model.ts";

/** What a service's settings leave to say. */
type ChannelSettings = Pick<Service, "loadBalancing" | "compression" | "maxMessageSize">;

/** `CompressionAlgorithms.gzip`, which grpc-js exports only as a value. */
const GZIP = 2;

/** How a peer that vanished without a word is found, in milliseconds. */
export interface KeepaliveRule {
  /** From one ping to the next, while there are calls in flight. */
  readonly interval: number;
  /** What an answer to a ping may take. */
  readonly timeout: number;
}

/**
 * Servers written in Go or C end connections that are pinged more often than every five minutes
 * with nothing of theirs in between. The timeout is grpc's own.
 */
export const KEEPALIVE: KeepaliveRule = { interval: 5 * 60_000, timeout: 20_000 };

/** Options of a service's channel. Every one that isn't a default of grpc-js has its reason here. */
export function channelOptions(
  service: ChannelSettings,
  keepalive: KeepaliveRule = KEEPALIVE,
): ChannelOptions {
  return {
    // Maestro is the one retry layer, so there is no retry policy; but without this the transparent
    // retry of refused streams is off too, and calls are lost when a server recycles connections.
    "grpc.enable_retries": 1,
    // A DNS record must not bring a retry policy in.
    "grpc.service_config_disable_resolution": 1,
    "grpc.service_config": JSON.stringify({
      loadBalancingConfig: [{ [service.loadBalancing]: {} }],
    }),
    // Otherwise `http_proxy` would be honoured even for loopback.
    "grpc.enable_http_proxy": 0,
    // The defaults (1 s doubling to 120 s) took 4.9 s after an absence of 6 s; these take 0.3 s.
    // Maestro's breaker and backoff already keep callers from hammering.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 500,
    "grpc.keepalive_time_ms": keepalive.interval,
    "grpc.keepalive_timeout_ms": keepalive.timeout,
    // A server that moved gets a new address: asked for when a connection is lost, and the default
    // (30 s) would keep callers at the old one.
    "grpc.dns_min_time_between_resolutions_ms": 1_000,
    // Channels of one pool would share their connections.
    "grpc.use_local_subchannel_pool": 1,
    // Nobody reads its statistics, which are kept call by call.
    "grpc.enable_channelz": 0,
    "grpc.max_receive_message_length": service.maxMessageSize,
    // Checked while encoding, where the message can say more.
    "grpc.max_send_message_length": -1,
    ...(service.compression === "gzip" ? { "grpc.default_compression_algorithm": GZIP } : {}),
  };
}
