/**
 * State machines as plain tables, run as XState actors: XState gives the tree of actors, their
 * mailboxes and its inspection; what one event does is read off the table here.
 *
 * XState's own interpreter computes, for every event, what nested and parallel states, history and
 * copied contexts could mean; flat machines that keep their facts elsewhere need none of that, and
 * pay fifteen times for it (docs/decisions/0004).
 *
 * @module
 */
import {
  type ActorLogic,
  type ActorRef,
  type ActorScope,
  type AnyActorRef,
  createActor,
  type EventObject,
  type Snapshot,
} from "xstate";

/** Where a machine's actor stands. `context` belongs to the actor, which changes it in place. */
export type MachineSnapshot<C> = Snapshot<undefined> & {
  /** The state's name. */
  readonly value: string;
  readonly context: C;
};

/** A machine's actor. */
export type MachineRef<C, E extends EventObject> = ActorRef<MachineSnapshot<C>, E>;

/** A machine as XState takes it, with its table. */
export interface Machine<C, E extends EventObject, I> extends ActorLogic<MachineSnapshot<C>, E, I> {
  readonly table: Table<C, E, I>;
}

/** What an actor is and does: its states, by name. Guards and actions are named functions. */
export interface Table<C, E extends EventObject, I> {
  readonly id: string;
  readonly context: (input: I) => C;
  readonly initial: string;
  readonly states: Readonly<Record<string, State<C, E>>>;
}

/** One state. */
export interface State<C, E extends EventObject> {
  /** The actor has come to its end; its parent hears `xstate.done.actor.<id>`. */
  readonly final?: true;
  readonly entry?: readonly Action<C, E>[];
  /** Taken, the first whose guard holds, as soon as it does, without an event. */
  readonly always?: readonly Transition<C, E>[];
  /** By the event's type; {@linkcode CHILD_DONE} stands for the end of any child. */
  readonly on?: { readonly [T in E["type"] | typeof CHILD_DONE]?: readonly Transition<C, E>[] };
}

/** One arrow. Without a target the state stays, and is not entered anew. */
export interface Transition<C, E extends EventObject> {
  readonly guard?: Guard<C, E>;
  readonly actions?: readonly Action<C, E>[];
  readonly target?: string;
}

/** Whether an arrow is taken. */
export type Guard<C, E extends EventObject> = (context: C, event: E) => boolean;

/** What happens on an arrow, or where a state is entered. */
export type Action<C, E extends EventObject> = (context: C, event: E, scope: Scope<E>) => void;

/** What an action can do besides changing its context. */
export interface Scope<E extends EventObject> {
  /** The actor itself. */
  readonly self: ActorRef<Snapshot<unknown>, E>;
  /** Sends an event to another actor, once this turn is over. */
  send<F extends EventObject>(to: Receiver<F>, event: F): void;
  /** Starts a child, once this turn is over. It is stopped with this actor. */
  spawn<CC, F extends EventObject, J>(
    machine: Machine<CC, F, J>,
    id: string,
    input: J,
  ): MachineRef<CC, F>;
  /** Is called when the state is left, or the actor ends: what ends something that was begun. */
  during(end: () => void): void;
  /** Is called when the actor ends. */
  whileAlive(end: () => void): void;
}

/** Whoever takes such events. */
export interface Receiver<E extends EventObject> {
  send(event: E): void;
}

/** What stands in {@linkcode State.on} for the end of any child; the event's `actorId` says whose. */
export const CHILD_DONE = "child.done";

/** The event by which XState tells of a child's end. */
export interface ChildDone extends EventObject {
  readonly type: `xstate.done.actor.${string}`;
  readonly actorId: string;
}

/** A machine from its table. */
export function machine<C, E extends EventObject, I>(table: Table<C, E, I>): Machine<C, E, I> {
  return {
    table,
    getInitialSnapshot: (scope, input) => new Life(table, table.context(input), scope).snapshot(),
    start: (snapshot) => {
      // XState keeps the snapshot it has, so this first one is changed in place.
      Object.assign(snapshot, lifeOf<C, E, I>(snapshot).begin());
    },
    transition: (snapshot, event) => lifeOf<C, E, I>(snapshot).turn(event),
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}

/** What a snapshot carries besides what others may look at. */
interface Carried<C, E extends EventObject, I> {
  readonly life: Life<C, E, I>;
}

function lifeOf<C, E extends EventObject, I>(snapshot: MachineSnapshot<C>): Life<C, E, I> {
  return (snapshot as MachineSnapshot<C> & Carried<C, E, I>).life; // made by `Life.snapshot`
}

const DONE = "xstate.done.actor.";
const ERROR = "xstate.error.actor.";
const BEGIN = { type: "xstate.init" } as const;

const NONE: readonly (() => void)[] = [];

/** One actor's way through its table. */
class Life<C, E extends EventObject, I> implements Scope<E> {
  readonly #table: Table<C, E, I>;
  readonly #context: C;
  readonly #actor: ActorScope<MachineSnapshot<C>, E>;
  #value: string;
  #status: "active" | "done" | "stopped" = "active";
  /** What ends with the state. */
  #endings: readonly (() => void)[] = NONE;
  /** What ends with the actor. */
  #lastings: readonly (() => void)[] = NONE;
  #children: Map<string, AnyActorRef> | null = null;

  constructor(table: Table<C, E, I>, context: C, actor: ActorScope<MachineSnapshot<C>, E>) {
    this.#table = table;
    this.#context = context;
    this.#actor = actor;
    this.#value = table.initial;
  }

  get self(): ActorRef<Snapshot<unknown>, E> {
    return this.#actor.self;
  }

  send<F extends EventObject>(to: Receiver<F>, event: F): void {
    this.#actor.defer(() => to.send(event));
  }

  spawn<CC, F extends EventObject, J>(
    logic: Machine<CC, F, J>,
    id: string,
    input: J,
  ): MachineRef<CC, F> {
    const child = createActor(logic, { id, input, parent: this.#actor.self });
    (this.#children ??= new Map()).set(id, child);
    this.#actor.defer(() => void child.start());
    return child;
  }

  during(end: () => void): void {
    this.#endings = [...this.#endings, end];
  }

  whileAlive(end: () => void): void {
    this.#lastings = [...this.#lastings, end];
  }

  snapshot(): MachineSnapshot<C> {
    return {
      status: this.#status,
      output: undefined,
      error: undefined,
      value: this.#value,
      context: this.#context,
      life: this,
    } as MachineSnapshot<C> & Carried<C, E, I>; // each status with what belongs to it
  }

  /** Enters the initial state. */
  begin(): MachineSnapshot<C> {
    const event = BEGIN as unknown as E; // nothing reads it: no arrow has this type
    try {
      this.#enter(this.#table.initial, event);
      this.#settle(event);
    } catch (thrown) {
      throw this.#failed(thrown);
    }
    return this.snapshot();
  }

  /** Takes one event. */
  turn(event: E): MachineSnapshot<C> {
    const { type } = event;
    if (type === "xstate.stop") {
      this.#end("stopped");
      return this.snapshot();
    }
    try {
      const arrows = this.#state().on?.[this.#nameOf(event)];
      if (arrows !== undefined && this.#take(arrows, event)) this.#settle(event);
    } catch (thrown) {
      throw this.#failed(thrown);
    }
    return this.snapshot();
  }

  /** What an event is called in the table. @throws what a child failed with */
  #nameOf(event: E): E["type"] | typeof CHILD_DONE {
    const { type } = event;
    if (!type.startsWith("xstate.")) return type;
    if (type.startsWith(ERROR)) throw (event as E & { error: unknown }).error; // XState's own event
    if (!type.startsWith(DONE)) return type;
    this.#children?.delete((event as EventObject as ChildDone).actorId);
    return CHILD_DONE;
  }

  /** An actor that fails leaves nothing behind; XState tells its parent. */
  #failed(thrown: unknown): unknown {
    this.#end("stopped");
    return thrown;
  }

  #state(): State<C, E> {
    const state = this.#table.states[this.#value];
    if (state === undefined) throw new Error(`${this.#table.id} has no state "${this.#value}"`);
    return state;
  }

  #settle(event: E): void {
    while (this.#status === "active") {
      const { always } = this.#state();
      if (always === undefined || !this.#take(always, event)) return;
    }
  }

  #take(arrows: readonly Transition<C, E>[], event: E): boolean {
    for (const { guard, actions, target } of arrows) {
      if (guard !== undefined && !guard(this.#context, event)) continue;
      if (target !== undefined) this.#endings = endAll(this.#endings);
      if (actions !== undefined) this.#do(actions, event);
      if (target !== undefined) this.#enter(target, event);
      return true;
    }
    return false;
  }

  #enter(target: string, event: E): void {
    this.#value = target;
    const { entry, final } = this.#state();
    if (entry !== undefined) this.#do(entry, event);
    if (final) this.#end("done");
  }

  #do(actions: readonly Action<C, E>[], event: E): void {
    for (const action of actions) action(this.#context, event, this);
  }

  #end(status: "done" | "stopped"): void {
    this.#status = status;
    this.#endings = endAll(this.#endings);
    this.#lastings = endAll(this.#lastings);
    if (this.#children === null) return;
    for (const child of this.#children.values()) this.#actor.stopChild(child);
    this.#children.clear();
  }
}

/** Ends them all, and returns the none that are left. */
function endAll(endings: readonly (() => void)[]): readonly (() => void)[] {
  for (const end of endings) end();
  return NONE;
}
