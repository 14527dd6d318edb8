/**
 * A block of steps: a sequence, `parallel`, `switch`, a loop or one of its rounds, the root of a run,
 * the steps of a compensation or of a `catch`. It starts its children in its order, hears them end,
 * and cancels them; what it does next it reads off the fold (`block_plan.ts`).
 *
 * @module
 */
import {
  advance,
  type BlockContext,
  type BlockInput,
  cancel,
  currentPlan,
  expire,
  finish,
  isStopped,
  open,
  ownDeadline,
  recordFor,
  sparesSiblings,
  stop,
} from "./block_moves.ts";
import type { Cancel, Resolved, Signalled } from "./told.ts";
import { earliest } from "./call_moves.ts";
import { type Action, type ChildDone, type Guard, type Machine, machine } from "./machine.ts";
import { type Time, wakeAt } from "./time.ts";

/** The pause before the next round of a `repeat` is over. */
interface NextRound {
  readonly type: "next_round";
}

type BlockEvent = ChildDone | Cancel | Resolved | Signalled | Time | NextRound;
type Test = Guard<BlockContext, BlockEvent>;
type Do = Action<BlockContext, BlockEvent>;

const ended: Test = (context) => {
  const { status, caught } = recordFor(context);
  return status !== "running" || caught !== null;
};
const isParked: Test = (context) => recordFor(context).attention !== null;
/** A moment that came while something inside was parked does not count. */
const isOutOfTime: Test = (context) => ownDeadline(context) !== null;
const isReleased: Test = (context) => recordFor(context).attention === null;
const stopped: Test = (context) => isStopped(context, currentPlan(context));
const settled: Test = (context) => context.actors.size === 0;
const finished: Test = (context) => currentPlan(context).finished;
const sparesOthers: Test = (context) => sparesSiblings(context);

const watchTime: Do = (context, _event, scope) => {
  context.unwatch(); // an operator's retry gives it its time anew
  const dueAt = ownDeadline(context);
  if (dueAt === null) return;
  context.unwatch = wakeAt(context.board, dueAt, scope.self);
  scope.whileAlive(context.unwatch);
};
const decide: Do = (context) => open(context);
/** Starts what may start, until nothing more may: what ends at once makes the next one due. */
const startChildren: Do = (context, _event, scope) => {
  const pauseUntil = advance(context, (child, cancelled) => {
    const { board, op, rounds, action } = context;
    const deadline = () => earliest(ownDeadline(context), context.deadline());
    const parent = { board, op, rounds, action, deadline };
    context.actors.set(child.path, board.start(parent, child, cancelled, scope));
  });
  if (pauseUntil === null) return;
  scope.during(
    context.board.wake(pauseUntil, () => scope.self.send({ type: "next_round" })),
  );
};
const endPause: Do = (context) => {
  context.paused = recordFor(context).rounds.begun;
};
const forgetChild: Do = (context, event) => {
  if ("actorId" in event) context.actors.delete(event.actorId);
};
const cancelChildren: Do = (context, _event, scope) => {
  for (const actor of context.actors.values()) scope.send(actor, { type: "cancel" });
};
const passOn: Do = (context, event, scope) => {
  if (event.type !== "resolved" && event.type !== "signalled") return;
  for (const actor of context.actors.values()) scope.send(actor, event);
};
const markCancelled: Do = (context) => {
  context.cancelled = true;
};
const timeOut: Do = (context) => expire(context);
const complete: Do = (context) => finish(context);
const end: Do = (context) => stop(context);
const lookAnew: Do = (context) => {
  Object.assign(context, { plan: null, paused: null, decided: null });
};
const cancelBlock: Do = (context) => cancel(context);

/** The block machine. */
export const blockMachine: Machine<BlockContext, BlockEvent, BlockInput> = machine<
  BlockContext,
  BlockEvent,
  BlockInput
>({
  id: "block",
  context: (input) => ({
    ...input,
    actors: new Map(),
    plan: null,
    paused: null,
    decided: null,
    unwatch: () => {},
  }),
  initial: "opening",
  states: {
    opening: {
      entry: [watchTime, decide],
      always: [
        { guard: ended, target: "done" },
        { guard: isParked, target: "parked" },
        { target: "running" },
      ],
    },
    running: {
      entry: [startChildren],
      always: [
        { guard: stopped, target: "stopping" },
        { guard: finished, actions: [complete], target: "closing" },
      ],
      on: {
        "child.done": [{ actions: [forgetChild, startChildren] }],
        next_round: [{ actions: [endPause, startChildren] }],
        cancel: [{ actions: [markCancelled], target: "stopping" }],
        time: [{ guard: isOutOfTime, actions: [timeOut] }],
        resolved: [{ actions: [watchTime, passOn] }],
        signalled: [{ actions: [passOn] }],
      },
    },
    /** Nothing new starts. */
    stopping: {
      always: [
        { guard: sparesOthers, target: "sparing" },
        { actions: [cancelChildren], target: "cancelling" },
      ],
    },
    /** `on_failure: finish`: the others run to their own end, unless it is cancelled or out of time. */
    sparing: {
      always: [{ guard: settled, actions: [end], target: "closing" }],
      on: {
        "child.done": [{ actions: [forgetChild, startChildren] }],
        cancel: [{ actions: [markCancelled, cancelChildren], target: "cancelling" }],
        time: [{ guard: isOutOfTime, actions: [cancelChildren], target: "cancelling" }],
        resolved: [{ actions: [watchTime, passOn] }],
        signalled: [{ actions: [passOn] }],
      },
    },
    /** It ends once every child has. */
    cancelling: {
      always: [{ guard: settled, actions: [end], target: "closing" }],
      on: {
        "child.done": [{ actions: [forgetChild, startChildren] }], // what was caught has its `catch` to end
        cancel: [{ actions: [markCancelled] }], // by what is around it, too: nobody is asked to catch
        resolved: [{ actions: [passOn] }],
        signalled: [{ actions: [passOn] }],
      },
    },
    closing: { always: [{ guard: isParked, target: "parked" }, { target: "done" }] },
    /** Past the pivot its failure, which nothing takes, waits for an operator. */
    parked: {
      on: {
        resolved: [{ guard: isReleased, actions: [lookAnew], target: "opening" }],
        cancel: [{ actions: [markCancelled, cancelBlock], target: "done" }],
      },
    },
    done: { final: true },
  },
});
