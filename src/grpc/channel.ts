import type { ChannelOptions } from "@grpc/grpc-js";
import type { Service } from "../workflow/model.ts";

/** What a service's settings leave to say. */
type ChannelSettings = Pick<Service, "loadBalancing" | "compression" | "maxMessageSize">;

/** `CompressionAlgorithms.gzip`, which grpc-js exports only as a value. */
const GZIP = 2;

/** Options of a service's channel. Every one that isn't a default of grpc-js has its reason here. */
export function channelOptions(service: ChannelSettings): ChannelOptions {
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
    // Finds a peer that vanished without a word. Servers written in Go end connections that are
    // pinged more often than every five minutes.
    "grpc.keepalive_time_ms": 5 * 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.max_receive_message_length": service.maxMessageSize,
    // Checked while encoding, where the message can say more.
    "grpc.max_send_message_length": -1,
    ...(service.compression === "gzip" ? { "grpc.default_compression_algorithm": GZIP } : {}),
  };
}
