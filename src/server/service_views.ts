import { createHash } from "node:crypto";
import type { Breaker } from "../engine/services.ts";
import { MaestroError } from "../errors.ts";
import type { ServiceView } from "./operations.ts";

/** The breakers by the ids that name them. */
export function breakersById(breakers: readonly Breaker[]): ReadonlyMap<string, Breaker> {
  const byId = new Map<string, Breaker>();
  for (const breaker of breakers) {
    const { service, endpoint, method } = breaker;
    // Of two that differ in their settings only, the one that was reached first comes first.
    for (let turn = 0;; turn++) {
      const id = idOf([service, endpoint, method, turn]);
      if (byId.has(id)) continue;
      byId.set(id, breaker);
      break;
    }
  }
  return byId;
}

/** The breaker of an id. @throws {MaestroError} `SERVICE_NOT_FOUND` */
export function breakerOf(breakers: readonly Breaker[], id: string): Breaker {
  const found = breakersById(breakers).get(id);
  if (found !== undefined) return found;
  throw new MaestroError(
    "SERVICE_NOT_FOUND",
    `There is no service ${JSON.stringify(id)}: a service is there once a run has reached it`,
  );
}

/** A breaker as it stands. */
export function viewOf(id: string, breaker: Breaker): ServiceView {
  const { service, endpoint, method, state, openUntil, window, waiting, inFlight, queued } =
    breaker;
  const { made, failed, p50, p99 } = breaker.calls;
  return {
    id,
    service,
    endpoint,
    method,
    state,
    open_until: openUntil === null ? null : new Date(openUntil).toISOString(),
    window,
    waiting,
    in_flight: inFlight,
    queued,
    calls: { made, failed, p50_ms: p50, p99_ms: p99 },
    serving: breaker.serving,
  };
}

function idOf(parts: readonly (string | number | null)[]): string {
  const [service] = parts;
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 8);
  return `${service}-${digest}`;
}
