/** Where a run reaches its services, and what may be said of it. */
import assert from "node:assert/strict";
import { grpcCaller } from "../../src/grpc/caller.ts";
import { callOnce, failureOf } from "../support/grpc_call.ts";
import { startServer } from "../support/grpc_server.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { SHOP_FILES } from "../support/shop_files.ts";
import type { Secrets } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { targetsOf } from "../../src/engine/targets.ts";
import { workflowOf } from "../support/engines.ts";

function targetOf(endpoint: string, endpoints: Readonly<Record<string, string>> = {}) {
  const workflow = workflowOf(
    `name: w\nservices: { shop: { endpoint: "${endpoint}" } }\n` +
      "steps: [ { id: buy, service: shop, method: Buy } ]\n",
  );
  const secrets = { PORT: "1", HOST: "internal" };
  const around = { env: { ZONE: "eu" }, secrets, rotating: NO_SECRETS, endpoints };
  return targetsOf(workflow, around).get("shop") ?? assert.fail();
}

const NO_SECRETS: Secrets = { read: () => Promise.resolve(undefined) };

Deno.test("an endpoint is reached by its secrets, and shown without them", () => {
  const secret = targetOf("{{ .secrets.HOST }}.{{ .env.ZONE }}:{{ .secrets.PORT }}");
  assert.deepEqual([secret.endpoint, secret.shown], ["internal.eu:1", "***.eu:***"]);
  const plain = targetOf("shop.{{ .env.ZONE }}:1");
  assert.deepEqual([plain.endpoint, plain.shown], ["shop.eu:1", undefined]);
  const given = targetOf("{{ .secrets.HOST }}:1", { shop: "localhost:2" });
  assert.deepEqual([given.endpoint, given.shown], ["localhost:2", undefined]);
});

Deno.test("why a service can't be reached does not tell the secrets of its endpoint", async () => {
  const target = targetOf("127.0.0.1:{{ .secrets.PORT }}");
  const caller = grpcCaller();
  const withFiles = { ...target, service: { ...target.service, ...SHOP_FILES } };
  const failure = failureOf(await callOnce(caller, withFiles, "Shop/Buy"));
  assert.equal(failure.message, 'Cannot reach "shop" at 127.0.0.1:***: connection refused');
  await caller.close();
  await new Promise((resolve) => setTimeout(resolve, 1_300)); // grpc-js's own timers
});

/** A service whose metadata is of every kind. */
const SIGNED = workflowOf(`
name: w
services:
  shop:
    endpoint: "shop:1"
    metadata:
      team: checkout
      authorization: "Bearer {{ .secrets.TOKEN }}"
      zone: "{{ .env.ZONE }}"
      for: "{{ .secrets.TOKEN }} {{ .run.id }}"
      who: "{{ .input.who }}"
steps: [ { id: buy, service: shop, method: Buy, metadata: { step: "1" } } ]
`);

Deno.test("questions about a service go with its own metadata, as far as that needs no run; secrets are read anew", async () => {
  let token: string | undefined = "t1";
  const rotating: Secrets = { read: (name) => Promise.resolve(name === "TOKEN" ? token : name) };
  const around = { env: { ZONE: "eu" }, secrets: { TOKEN: "t0" }, rotating, endpoints: {} };
  const target = targetsOf(SIGNED, around).get("shop") ?? assert.fail();
  const sent = (authorization: string, zone: string) => ({ team: "checkout", authorization, zone });
  assert.deepEqual(await target.metadata?.(), sent("Bearer t1", "eu"));
  token = "t2";
  assert.deepEqual(await target.metadata?.(), sent("Bearer t2", "eu"));
  token = undefined;
  await assert.rejects(async () => await target.metadata?.(), {
    code: "INPUT_INVALID",
    message: /needs the secret "TOKEN"/,
  });
  assert.equal(targetOf("shop:1").metadata, undefined);
});

Deno.test("runs share a target where all that it is made from is the same", async () => {
  const secrets = { TOKEN: "t0" };
  const rotating: Secrets = { read: () => Promise.resolve("mine") };
  const shop = (changes: { env?: Record<string, string>; rotating?: Secrets } = {}) => {
    const around = { env: { ZONE: "eu" }, secrets, rotating, endpoints: {}, ...changes };
    return targetsOf(SIGNED, around).get("shop") ?? assert.fail();
  };
  const first = shop();
  assert(shop() === first);
  assert.equal((await shop({ env: { ZONE: "us" } }).metadata?.())?.["zone"], "us");
  const theirs = shop({ rotating: { read: () => Promise.resolve("theirs") } });
  assert.equal((await theirs.metadata?.())?.["authorization"], "Bearer theirs");
  assert.equal((await shop().metadata?.())?.["authorization"], "Bearer mine");
  assert.equal(theirs.key, first.key, "they are one service all the same");
});

Deno.test("a server that demands a token for its reflection is asked with the service's", async () => {
  await using server = await startServer({
    scripts: { "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }) },
    reflection: { authorization: "Bearer t" },
  });
  const engine = new Engine({
    caller: grpcCaller(),
    journal: memoryJournal(),
    secrets: { read: () => Promise.resolve("t") },
  });
  try {
    const run = await engine.start(workflowOf(`
name: w
services:
  shop: { endpoint: "${server.endpoint}", metadata: { authorization: "Bearer {{ .secrets.TOKEN }}" } }
steps: [ { id: buy, service: shop, method: Shop/Buy } ]
`));
    assert.equal((await run.result()).status, "completed");
  } finally {
    await engine.close();
  }
});
