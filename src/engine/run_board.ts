import type { Board } from "../machines/board.ts";
import { recordOf, type RunState } from "../machines/records.ts";
import { startChild } from "../machines/start_child.ts";
import type { Workflow } from "../workflow/model.ts";
import type { Alarms } from "./alarms.ts";
import { type AttemptOptions, makeAttempt } from "./attempts.ts";
import type { ChildLife, Children } from "./children.ts";
import { definitionOf } from "./definition.ts";
import type { Ledger } from "./ledger.ts";
import { methodKey } from "./methods.ts";
import type { Seat } from "./seat.ts";
import type { ServiceParts } from "./services.ts";

/** What a board needs of what its run is made with. */
export interface BoardOptions
  extends Omit<AttemptOptions, "names" | "whenMaySend" | "onSchema" | "onCalled"> {
  readonly workflow: Workflow;
  readonly state: RunState;
  readonly seat: Seat;
  readonly services: ReadonlyMap<string, ServiceParts>;
}

/** What a board reaches the world by, besides what its run is made with. */
export interface BoardParts {
  readonly ledger: Ledger;
  readonly children: Children<ChildLife>;
  readonly alarms: Alarms;
  readonly onSchema: NonNullable<AttemptOptions["onSchema"]>;
}

/** What the actors of a run share: the definition, where it stands, and the ports by which things happen. */
export function boardOf(
  options: BoardOptions,
  { ledger, children, alarms, onSchema }: BoardParts,
): Board {
  const { workflow, state, methods, seat } = options;
  const { visible, locator } = definitionOf(workflow);
  const names = { workflow, state, visible };
  const attempts: AttemptOptions = {
    ...options,
    names,
    whenMaySend: (callback) => ledger.whenMaySend(callback),
    onSchema,
    onCalled: (service, code, duration) => partsOf(options, service).calls.record(code, duration),
  };
  return {
    ...names,
    record: (fact) => ledger.record(fact),
    // After the facts before it, or it would seem to be about what came earlier.
    notice: (notice) => ledger.whenDurable(() => seat.tell(notice)),
    service: (target) => {
      const { budget, turnstile, breaker } = partsOf(options, target.service);
      const method = () => methods.get(methodKey(target))?.name ?? target.method;
      return { budget, turnstile, breaker: breaker(method) };
    },
    start: startChild,
    locate: (path) => locator.find(path),
    around: (path) => locator.around(path),
    child: (child, told) => children.begin(child, told),
    undoChild: (path, told) => {
      const revision = recordOf(state, path)?.revisions ?? 0;
      return children.undo(path, revision, told);
    },
    isChildPastPivot: () => children.passedPivot,
    encode: (target, input) => methods.get(methodKey(target))?.encode(input) ?? null,
    attempt: (attempt, answer) => makeAttempt(attempts, attempt, answer),
    wake: (dueAt, callback) => alarms.at(dueAt, callback),
  };
}

function partsOf({ services }: BoardOptions, service: string): ServiceParts {
  const parts = services.get(service);
  if (parts === undefined) throw new Error(`There is no service "${service}"`);
  return parts;
}
