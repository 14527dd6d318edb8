/**
 * Services and targets with the defaults of the language, for tests of the way to services.
 *
 * @module
 */
import type { Target } from "../../src/engine/doors.ts";
import type { Service } from "../../src/workflow/model.ts";

/** A target of the service `shop`, asked by reflection where nothing else is said. */
export function targetAt(endpoint: string, settings: Partial<Service> = {}): Target {
  const service: Service = {
    name: "shop",
    endpoint,
    schema: { kind: "reflection" },
    protoService: null,
    tls: null,
    metadata: {},
    attemptTimeout: 30_000,
    retry: {
      attempts: 1,
      backoff: "exponential",
      initialDelay: 500,
      multiplier: 2,
      maxDelay: 10_000,
      jitter: 0.5,
      codes: [],
    },
    budget: null,
    breaker: null,
    pool: { channels: 1, maxConcurrent: 100 },
    rateLimit: null,
    health: null,
    loadBalancing: "pick_first",
    compression: null,
    maxMessageSize: 4 * 1024 * 1024,
    maxMessages: 10_000,
    place: { file: "test.yaml", line: 1, column: 1 },
    ...settings,
  };
  return { service, endpoint, key: JSON.stringify([endpoint, service]) };
}
