import {
  type ActorLogic,
  type ActorRef,
  assign,
  createActor,
  type EventObject,
  type InspectionEvent,
  setup,
  type Snapshot,
  stopChild,
} from "xstate";

type Logic = ActorLogic<Snapshot<unknown>, EventObject, unknown>;
type Ref = ActorRef<Snapshot<unknown>, EventObject>;

/** The root of all actors: it has them made and ended, and decides nothing. */
const engineMachine = setup({
  types: {
    events: {} as
      | {
        readonly type: "spawn";
        readonly id: string;
        readonly logic: Logic;
        readonly input: unknown;
        /** Is handed the actor: one that ends as it starts is gone from the system at once. */
        readonly adopt: (ref: Ref) => void;
      }
      | { readonly type: "stop"; readonly id: string },
  },
}).createMachine({
  id: "engine",
  on: {
    spawn: {
      actions: assign(({ event, spawn }) => {
        event.adopt(spawn(event.logic, { systemId: event.id, input: event.input }));
        return {};
      }),
    },
    stop: { actions: stopChild(({ event, system }) => system.get(event.id)) },
  },
});

/** Keeps the actors of services and runs under one root. */
export class Supervisor {
  readonly #root;

  constructor(inspect?: (event: InspectionEvent) => void) {
    this.#root = createActor(engineMachine, inspect ? { inspect } : {});
    this.#root.start();
  }

  /** Starts an actor below the root. */
  // deno-lint-ignore no-explicit-any -- the logic's own event and snapshot types go out as they came in
  spawn<L extends ActorLogic<any, any, any>>(id: string, logic: L, input: unknown): Ref {
    let ref: Ref | undefined;
    const adopt = (made: Ref) => ref = made;
    this.#root.send({ type: "spawn", id, logic: logic as unknown as Logic, input, adopt });
    if (ref === undefined) throw new Error(`The actor "${id}" did not start`);
    return ref;
  }

  /** Ends an actor, and with it all below it. */
  stop(id: string): void {
    this.#root.send({ type: "stop", id });
  }

  /** Ends every actor. */
  close(): void {
    this.#root.stop();
  }
}
