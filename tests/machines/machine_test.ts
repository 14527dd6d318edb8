import assert from "node:assert/strict";
import { createActor } from "xstate";
import { type Action, type ChildDone, type Guard, machine } from "../../src/machines/machine.ts";

interface Go {
  readonly type: "go" | "stay" | "fail";
}

interface Context {
  readonly log: string[];
  ready: boolean;
}

const note = (text: string): Action<Context, Go | ChildDone> => ({ log }) => void log.push(text);
const isReady: Guard<Context, Go | ChildDone> = ({ ready }) => ready;

Deno.test("an arrow runs its actions, then enters its target, then whatever always holds there", () => {
  const log: string[] = [];
  const actor = createActor(
    machine<Context, Go | ChildDone, string[]>({
      id: "m",
      context: (log) => ({ log, ready: true }),
      initial: "first",
      states: {
        first: {
          entry: [note("enter first")],
          on: { go: [{ actions: [note("go")], target: "second" }] },
        },
        second: {
          entry: [note("enter second")],
          always: [{ guard: isReady, actions: [note("ready")], target: "third" }],
        },
        third: {},
      },
    }),
    { input: log },
  ).start();
  actor.send({ type: "go" });
  assert.deepEqual(log, ["enter first", "go", "enter second", "ready"]);
  assert.equal(actor.getSnapshot().value, "third");
});

Deno.test("the first arrow whose guard holds is taken; one without a target stays, and one without a fit does nothing", () => {
  const log: string[] = [];
  const actor = createActor(
    machine<Context, Go | ChildDone, string[]>({
      id: "m",
      context: (log) => ({ log, ready: false }),
      initial: "only",
      states: {
        only: {
          entry: [note("enter")],
          on: {
            go: [{ guard: isReady, target: "never" }, { actions: [note("second")] }],
            stay: [{ guard: isReady, target: "never" }],
          },
        },
        never: {},
      },
    }),
    { input: log },
  ).start();
  actor.send({ type: "go" });
  actor.send({ type: "stay" });
  actor.send({ type: "fail" });
  assert.deepEqual(log, ["enter", "second"]);
});

/** A parent that starts a child, and whose two kinds of effects note how they end. */
function family(log: string[], childEnds: boolean) {
  const child = machine<string[], Go, string[]>({
    id: "child",
    context: (log) => log,
    initial: "living",
    states: {
      living: {
        entry: [
          (log, _event, scope) => scope.whileAlive(() => void log.push("child is over")),
        ],
        always: [{ guard: () => childEnds, target: "dead" }],
        on: {
          fail: [{
            actions: [() => {
              throw new Error("broken");
            }],
          }],
        },
      },
      dead: { final: true },
    },
  });
  return machine<Context & { ref?: { send(event: Go): void } }, Go | ChildDone, null>({
    id: "parent",
    context: () => ({ log, ready: false }),
    initial: "waiting",
    states: {
      waiting: {
        entry: [
          (context, _event, scope) => {
            context.ref = scope.spawn(child, "kid", log);
          },
          ({ log }, _event, scope) => {
            scope.during(() => void log.push("waiting is over"));
            scope.whileAlive(() => void log.push("parent is over"));
          },
        ],
        on: {
          "child.done": [{ actions: [note("child done")], target: "ended" }],
          go: [{ target: "further" }],
          fail: [{
            actions: [
              ({ ref }, event, scope) => ref && event.type === "fail" && scope.send(ref, event),
            ],
          }],
        },
      },
      further: {},
      ended: { final: true },
    },
  });
}

Deno.test("a child that ends at once is heard of, once its parent's turn is over", () => {
  const log: string[] = [];
  const actor = createActor(family(log, true), { input: null }).start();
  assert.equal(actor.getSnapshot().status, "done");
  assert.deepEqual(log, ["child is over", "waiting is over", "child done", "parent is over"]);
});

Deno.test("what lasts during a state ends with it; what lasts for life ends when the actor is stopped, its children first or last", () => {
  const log: string[] = [];
  const actor = createActor(family(log, false), { input: null }).start();
  actor.send({ type: "go" });
  assert.deepEqual(log, ["waiting is over"]);
  actor.stop();
  assert.deepEqual(log.slice(1).sort(), ["child is over", "parent is over"]);
});

Deno.test("a child that fails takes its parent along, and nothing goes on", () => {
  const log: string[] = [];
  const actor = createActor(family(log, false), { input: null });
  let reason: unknown;
  actor.subscribe({ error: (error) => reason = error });
  actor.start();
  actor.send({ type: "fail" });
  assert.match(String(reason), /broken/);
  assert.equal(actor.getSnapshot().status, "error");
  assert.deepEqual([...log].sort(), ["child is over", "parent is over", "waiting is over"]);
});

Deno.test("a snapshot that was looked at does not change with what happens later", () => {
  const actor = createActor(family([], false), { input: null }).start();
  const before = actor.getSnapshot();
  actor.send({ type: "go" });
  assert.equal(before.value, "waiting");
  assert.equal(actor.getSnapshot().value, "further");
});
