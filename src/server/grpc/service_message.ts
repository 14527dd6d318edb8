import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  Service_BreakerState,
  Service_Health,
  type ServiceSchema,
} from "../../gen/maestro/v1/services_pb.ts";
import type { ServiceView } from "../operations.ts";
import { timeOf } from "./json_values.ts";
import { serviceName } from "./names.ts";

const BREAKER_STATES: Readonly<Record<ServiceView["state"], Service_BreakerState>> = {
  closed: Service_BreakerState.CLOSED,
  open: Service_BreakerState.OPEN,
  half_open: Service_BreakerState.HALF_OPEN,
  forced_open: Service_BreakerState.FORCED_OPEN,
};

/** A service and its circuit breaker, as the API has them. */
export function serviceMessage(view: ServiceView): MessageInitShape<typeof ServiceSchema> {
  const { calls, failures, slow } = view.window;
  return {
    name: serviceName(view.id),
    displayName: view.service,
    endpoint: view.endpoint,
    method: view.method ?? "",
    breakerState: BREAKER_STATES[view.state],
    ...(view.open_until !== null && { openEndTime: timeOf(view.open_until) }),
    window: { calls, failures, slowCalls: slow },
    waitingCalls: view.waiting,
    activeCalls: view.in_flight,
    queuedCalls: view.queued,
    callStats: callStats(view.calls),
    health: healthOf(view.serving),
  };
}

function callStats({ made, failed, p50_ms: median, p99_ms: p99 }: ServiceView["calls"]) {
  return {
    calls: BigInt(made),
    failures: BigInt(failed),
    ...(median !== null && { medianLatency: durationFromMs(median) }),
    ...(p99 !== null && { p99Latency: durationFromMs(p99) }),
  };
}

function healthOf(serving: boolean | null): Service_Health {
  if (serving === null) return Service_Health.HEALTH_UNSPECIFIED;
  return serving ? Service_Health.SERVING : Service_Health.NOT_SERVING;
}
