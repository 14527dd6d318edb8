// What a parent run says of, and does to, the runs of its child workflows.

import { deepEqual, equal, rejects } from "node:assert/strict";
import { parseWorkflow } from "../../src/workflow/parse.ts";
import type { Workflow } from "../../src/workflow/model.ts";
import { JumpingClock } from "../support/clock.ts";
import { stage } from "../support/engines.ts";
import { World } from "../support/world.ts";

/** A parent whose child, and that one's child, have services of their own. */
const FILES: Readonly<Record<string, string>> = {
  "parent.yaml": `name: parent
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: child, workflow: ./child.yaml }
  - { id: ship, service: shop, method: Ship }
`,
  "child.yaml": `name: child
services: { bank: { endpoint: "bank:1" } }
steps:
  - { id: pay, service: bank, method: Pay, compensate: { method: Refund } }
  - { id: grandchild, workflow: ./grandchild.yaml }
`,
  "grandchild.yaml": `name: grandchild
services: { post: { endpoint: "post:1" } }
steps:
  - { id: send, service: post, method: Send, compensate: { method: Recall } }
`,
};

/** A workflow that starts others. */
function parent(files = FILES): Workflow {
  const text = files["parent.yaml"] ?? "";
  const { workflow, problems } = parseWorkflow(
    { file: "parent.yaml", text },
    (path) => files[path.replace("./", "")] ?? "",
  );
  if (workflow === null) throw new Error(problems.map(({ message }) => message).join("\n"));
  return workflow;
}

const ok = { answer: {} };
const scripts = {
  "shop/Ship": ok,
  "bank/Pay": ok,
  "bank/Refund": ok,
  "post/Send": ok,
  "post/Recall": ok,
};

Deno.test("child runs that had completed are undone by their own compensations, last first, and end as compensated", async () => {
  const { engine, world, clock } = stage({ ...scripts, "shop/Ship": { fail: "NOT_FOUND" } });
  const run = await engine.start(parent(), { runId: "r" });
  const { status, steps } = await run.result();
  equal(status, "compensated");
  deepEqual(world.effects.slice(2), [
    "r/child/grandchild/send/compensate",
    "r/child/pay/compensate",
  ]);
  equal(steps.find(({ path }) => path === "child")?.compensation?.status, "done");
  const child = await engine.report("r/child");
  equal(child.status, "compensated");
  equal(child.error?.code, "RUN_CANCELLED");
  equal((await engine.report("r/child/grandchild")).status, "compensated");
  await engine.close();
  clock.stop();
});

Deno.test("an endpoint given at the start also wins in child runs, whether the parent has the service or not", async () => {
  const caller = new World(scripts, new JumpingClock()).caller();
  const reached: string[] = [];
  const { engine, clock } = stage({}, {
    caller: {
      ...caller,
      method(target, name, options) {
        reached.push(target.endpoint);
        return caller.method(target, name, options);
      },
    },
  });
  const run = await engine.start(parent(), {
    runId: "r",
    endpoints: { bank: "here:1", post: "there:1" },
  });
  equal((await run.result()).status, "completed");
  deepEqual([...new Set(reached)].sort(), ["here:1", "shop:1", "there:1"]);
  await rejects(
    engine.start(parent(), { endpoints: { bakery: "here:1" } }),
    /the workflow's services are: shop, bank, post/,
  );
  await engine.close();
  clock.stop();
});

Deno.test("a child run is reached by its id while it is under way, and takes signals of its own", async () => {
  const waiting = Promise.withResolvers<void>();
  const { engine, clock } = stage({}, {
    onHappening: (id, _workflow, { kind }) => {
      if (id === "r/ask" && kind === "step_started") waiting.resolve();
    },
  });
  const workflow = parent({
    "parent.yaml": "name: parent\nsteps: [{ id: ask, workflow: ./child.yaml }]\n",
    "child.yaml": "name: child\nsteps: [{ id: answer, await_signal: answer }]\n",
  });
  const run = await engine.start(workflow, { runId: "r" });
  await waiting.promise;
  const child = await engine.resume("r/ask");
  child.signal("answer", 42);
  deepEqual((await run.result()).output, 42);
  await engine.close();
  clock.stop();
});
