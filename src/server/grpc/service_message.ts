import type { MessageInitShape } from "@bufbuild/protobuf";
import { Service_BreakerState, type ServiceSchema } from "../../gen/maestro/v1/services_pb.ts";
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
  };
}
