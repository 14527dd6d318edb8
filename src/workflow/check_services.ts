/**
 * What settings of a service say against one another, and what is legal but likely to hurt.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import { eachStep } from "./calls.ts";
import type { Place, Service, Workflow } from "./model.ts";
import { problemAt, warningAt } from "./problems.ts";
import { isRecord } from "./schema_parts.ts";
import type { Path, Places } from "./source.ts";
import type { StepPlaces } from "./step_places.ts";

/** Looks at the services of a workflow, and at the codes that its steps retry. */
export function checkServices(workflow: Workflow, where: StepPlaces): readonly Problem[] {
  const { places } = where;
  return [
    ...Object.values(workflow.services).flatMap((service) => [
      ...checkHealth(service, places),
      ...checkWindow(service, places),
    ]),
    ...serviceCodes(places),
    ...stepCodes(workflow, where),
  ];
}

/** semantics.md §2: health works through the breaker, and stays off where one server can't speak for all. */
function checkHealth(service: Service, places: Places): readonly Problem[] {
  const { name, health, breaker, loadBalancing } = service;
  if (health === null) return [];
  const said = (key: string) => placeOf(service, key, places);
  if (breaker === null) {
    const message = `"health" works through the circuit breaker, and that of "${name}" is off: ` +
      'write "health: false", or leave the breaker on';
    return [problemAt(said("circuit_breaker"), "health_without_breaker", message)];
  }
  if (loadBalancing !== "round_robin") return [];
  const message = `The health of "${name}" is not watched: with "load_balancing: round_robin" ` +
    "one server's answer says nothing of the others, and those that are down are passed over anyway";
  return [warningAt(said("health"), "health_off", message)];
}

/** A window of fewer calls than a rate needs: resilience4j would lower `min_calls` to it without a word. */
function checkWindow(service: Service, places: Places): readonly Problem[] {
  const { name, breaker } = service;
  if (breaker?.window.kind !== "count" || breaker.window.calls >= breaker.minCalls) return [];
  const message = `The circuit breaker of "${name}" never opens: its "window" of ` +
    `${breaker.window.calls} is less than its "min_calls" of ${breaker.minCalls}`;
  return [warningAt(placeOf(service, "circuit_breaker", places), "never_opens", message)];
}

/** Where a setting of a service is written in this file: for itself, else for all. */
function placeOf(service: Service, key: string, places: Places): Place {
  const at = [["services", service.name, key], ["defaults", key]]
    .find((path) => places.get(path) !== undefined);
  return at === undefined ? service.place : places.key(at);
}

/** What idempotent calls are retried on without being asked (semantics.md §1). */
const ALWAYS_RETRIED: ReadonlySet<unknown> = new Set(["UNAVAILABLE", "DEADLINE_EXCEEDED"]);

function serviceCodes(places: Places): readonly Problem[] {
  const services = places.get(["services"]);
  const names = isRecord(services) ? Object.keys(services) : [];
  return [["defaults"], ...names.map((name) => ["services", name])].flatMap((at) =>
    needlessCodes([...at, "retry", "codes"], places)
  );
}

/** A call that is not idempotent is retried on what it names itself, so there every code says something. */
function stepCodes({ steps }: Workflow, where: StepPlaces): readonly Problem[] {
  return [...eachStep(steps, false)].flatMap((step) => {
    const at = where.at.get(step.path);
    if (step.kind !== "call" || !step.idempotent || at === undefined) return [];
    return needlessCodes([...at, "retry", "codes"], where.places);
  });
}

/** gRPC's `retryableStatusCodes` is the whole list; who writes these may think that `codes` is, too. */
function needlessCodes(at: Path, places: Places): readonly Problem[] {
  const codes = places.get(at);
  if (!Array.isArray(codes)) return [];
  return codes.flatMap((code, index) => {
    if (!ALWAYS_RETRIED.has(code)) return [];
    const message = `${code} is retried anyway: "codes" come on top of UNAVAILABLE and ` +
      "DEADLINE_EXCEEDED, and don't replace them";
    return [warningAt(places.value([...at, index]), "needless_code", message)];
  });
}
