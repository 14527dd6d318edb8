/** Which schema the methods of a run come from: the one that was kept, where there is one. */
import assert from "node:assert/strict";
import { type AttemptOptions, makeAttempt } from "../../src/engine/attempts.ts";
import { type Caller, type KeptText, type Method, Unreachable } from "../../src/engine/doors.ts";
import { findMethods } from "../../src/engine/methods.ts";
import { targetsOf } from "../../src/engine/targets.ts";
import { Watchdog } from "../../src/engine/watchdog.ts";
import { WorkflowMethods } from "../../src/engine/workflow_methods.ts";
import type { Answered, Attempt } from "../../src/machines/board.ts";
import { emptyState } from "../../src/machines/records.ts";
import { eachTarget } from "../../src/workflow/calls.ts";
import { NO_ROUNDS } from "../../src/workflow/rounds.ts";
import { visibility } from "../../src/workflow/scope.ts";
import { FakeClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";

const WORKFLOW = workflowOf(`
name: two_services
services: { shop: { endpoint: "shop:1" }, bank: { endpoint: "bank:1" } }
steps:
  - { id: buy, service: shop, method: Buy }
  - { id: pay, service: bank, method: Pay }
  - { id: sell, service: shop, method: Sell }
`);
const TARGETS = targetsOf(WORKFLOW, {
  env: {},
  secrets: {},
  rotating: { read: () => Promise.resolve(undefined) },
  endpoints: {},
});

function textOf(name: string): KeptText {
  return { digest: name, text: `the schema ${name}` };
}

/** Services whose schema changes when a test says so; a method tells from which schema it is. */
class ChangingServices implements Caller {
  /** What every service's source says now; `null`: it can't be reached. */
  schema: KeptText | null = textOf("first");
  /** `shop/Buy` for what the source was asked for, `shop/Buy in first` for what was looked for in a schema. */
  readonly asked: string[] = [];
  readonly sent: string[] = [];

  method(...[{ service }, name, { schema } = {}]: Parameters<Caller["method"]>): Promise<Method> {
    this.asked.push(`${service.name}/${name}${schema ? ` in ${schema.digest}` : ""}`);
    const found = schema ?? this.schema;
    if (found === null) {
      const failure = { code: "UNAVAILABLE", message: "refused", outcome: "not_sent" } as const;
      return Promise.reject(new Unreachable(failure));
    }
    return Promise.resolve({
      name: `${found.digest}.${name}`,
      idempotency: "unknown",
      types: () => undefined,
      schema: found,
      encode: () => ({ json: {}, message: {} }),
      call: () => {
        this.sent.push(`${found.digest}.${name}`);
        return Promise.resolve({ ok: true, output: {} });
      },
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function namesOf(methods: ReadonlyMap<string, Method>): readonly string[] {
  return [...methods.values()].map(({ name }) => name).sort();
}

Deno.test("findMethods() looks in the schema that was kept of a service, and asks the others", async () => {
  const services = new ChangingServices();
  services.schema = textOf("second");
  const kept = new Map([["shop", textOf("first")]]);
  const { methods, complete } = await findMethods(WORKFLOW, TARGETS, services, kept);
  assert.deepEqual(namesOf(methods), ["first.Buy", "first.Sell", "second.Pay"]);
  assert(complete);
  assert.deepEqual(services.asked.sort(), ["bank/Pay", "shop/Buy in first", "shop/Sell in first"]);
});

Deno.test("WorkflowMethods keeps the methods of kept schemas from other runs, and the other way round", async () => {
  const services = new ChangingServices();
  const methods = new WorkflowMethods(services, new FakeClock());
  const all = (schema: string) => [`${schema}.Buy`, `${schema}.Pay`, `${schema}.Sell`];
  const kept = new Map(["shop", "bank"].map((name) => [name, textOf("older")] as const));
  assert.deepEqual(namesOf(await methods.of(WORKFLOW, TARGETS, kept)), all("older"));
  const fresh = await methods.of(WORKFLOW, TARGETS);
  assert.deepEqual(namesOf(fresh), all("first"));
  assert.deepEqual(namesOf(await methods.of(WORKFLOW, TARGETS, kept)), all("older"));
  services.schema = textOf("second");
  assert(await methods.of(WORKFLOW, TARGETS) === fresh, "those of the run before are still fresh");
  // A run that began without any schema: its own are looked for now, and stay its own.
  assert.deepEqual(namesOf(await methods.of(WORKFLOW, TARGETS, new Map())), all("second"));
  assert(await methods.of(WORKFLOW, TARGETS) === fresh);
});

Deno.test("WorkflowMethods refuses a run whose kept schema lacks a method", async () => {
  const services = new ChangingServices();
  const caller: Caller = {
    method: (target, name, options) =>
      options?.schema ? Promise.reject(new Error("damaged")) : services.method(target, name),
    close: () => Promise.resolve(),
  };
  const methods = new WorkflowMethods(caller, new FakeClock());
  const kept = new Map([["bank", textOf("older")]]);
  await assert.rejects(async () => await methods.of(WORKFLOW, TARGETS, kept), {
    code: "WORKFLOW_INVALID",
    message: "damaged",
  });
});

/** What attempts of a run are made with whose services could not be reached when it began. */
function late(services: Caller, more: Partial<AttemptOptions> = {}): AttemptOptions {
  const clock = new FakeClock();
  return {
    names: { workflow: WORKFLOW, state: emptyState(), visible: visibility(WORKFLOW) },
    caller: services,
    clock,
    random: () => 0,
    secrets: { read: () => Promise.resolve(undefined) },
    targets: TARGETS,
    methods: new Map(),
    watchdog: new Watchdog(clock),
    whenMaySend: (callback) => callback(),
    ...more,
  };
}

/** Makes the first attempt of the call of a method. */
function attempt(options: AttemptOptions, method: string): Promise<Answered> {
  const target = [...eachTarget(WORKFLOW.steps)].find((one) => one.method === method);
  assert(target);
  const path = method.toLowerCase();
  const one: Attempt = {
    path,
    op: "action",
    action: path,
    number: 1,
    revision: 0,
    target,
    request: null,
    input: {},
    scope: { key: path, rounds: NO_ROUNDS },
    deadline: null,
  };
  return new Promise((answer) => makeAttempt(options, one, answer));
}

Deno.test("an attempt looks for its method in the schema that was kept of its service", async () => {
  const services = new ChangingServices();
  services.schema = null;
  const onSchema = () => assert.fail("it is known");
  const options = late(services, { kept: new Map([["shop", textOf("older")]]), onSchema });
  assert((await attempt(options, "Buy")).result.ok);
  assert.deepEqual(services.sent, ["older.Buy"]);
  assert.deepEqual(services.asked, ["shop/Buy in older"]);
  assert.deepEqual(namesOf(options.methods), ["older.Buy"]);
});

Deno.test("a schema that is found only with an attempt is told once, and is the run's from then on", async () => {
  const services = new ChangingServices();
  const told: [string, KeptText][] = [];
  const options = late(services, {
    kept: new Map(),
    onSchema: (service, schema) => void told.push([service, schema]),
  });
  services.schema = null;
  assert.equal((await attempt(options, "Buy")).result.ok, false);
  assert.deepEqual(told, []);
  services.schema = textOf("first");
  await attempt(options, "Buy");
  services.schema = textOf("second");
  await attempt(options, "Sell");
  await attempt(options, "Buy");
  await attempt(options, "Pay");
  assert.deepEqual(told, [["shop", textOf("first")], ["bank", textOf("second")]]);
  assert.deepEqual(services.sent, ["first.Buy", "first.Sell", "first.Buy", "second.Pay"]);
});

Deno.test("attempts that look for their methods at the same time go by one schema", async () => {
  const services = new ChangingServices();
  const told: string[] = [];
  const options = late(services, {
    kept: new Map(),
    onSchema: (service, { digest }) => void told.push(`${service} ${digest}`),
  });
  const buying = attempt(options, "Buy");
  services.schema = textOf("second"); // both have asked by then: each was told another
  const selling = attempt(options, "Sell");
  await Promise.all([buying, selling]);
  assert.deepEqual(services.asked, ["shop/Buy", "shop/Sell", "shop/Sell in first"]);
  assert.deepEqual(told, ["shop first"]);
  assert.deepEqual(services.sent.sort(), ["first.Buy", "first.Sell"]);
});

Deno.test("a call whose schema was only just found waits until it is kept", async () => {
  const services = new ChangingServices();
  const isKept = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const options = late(services, {
    kept: new Map(),
    onSchema: () => {
      asked.resolve();
      return isKept.promise;
    },
  });
  const answered = attempt(options, "Buy");
  await asked.promise;
  for (let turns = 0; turns < 100; turns++) await Promise.resolve();
  assert.deepEqual(services.sent, []);
  isKept.resolve();
  assert((await answered).result.ok);
  assert.deepEqual(services.sent, ["first.Buy"]);
});

Deno.test("a service that has no schema to be kept is called as ever", async () => {
  const services = new ChangingServices();
  const caller: Caller = {
    method: async (...asked) => {
      const { schema: _none, ...method } = await services.method(...asked);
      return method;
    },
    close: () => Promise.resolve(),
  };
  const options = late(caller, { kept: new Map(), onSchema: () => assert.fail("there is none") });
  await attempt(options, "Buy");
  await attempt(options, "Buy");
  assert.deepEqual(services.sent, ["first.Buy", "first.Buy"]);
  assert.deepEqual(options.kept, new Map());
});
