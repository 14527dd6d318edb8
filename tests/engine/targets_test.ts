/** Where a run reaches its services, and what may be said of it. */
import assert from "node:assert/strict";
import { grpcCaller } from "../../src/grpc/caller.ts";
import { callOnce, failureOf } from "../support/grpc_call.ts";
import { SHOP_FILES } from "../support/shop_files.ts";
import { targetsOf } from "../../src/engine/targets.ts";
import { workflowOf } from "../support/engines.ts";

function targetOf(endpoint: string, endpoints: Readonly<Record<string, string>> = {}) {
  const workflow = workflowOf(
    `name: w\nservices: { shop: { endpoint: "${endpoint}" } }\n` +
      "steps: [ { id: buy, service: shop, method: Buy } ]\n",
  );
  const secrets = { PORT: "1", HOST: "internal" };
  const target = targetsOf(workflow, { env: { ZONE: "eu" }, secrets, endpoints }).get("shop");
  return target ?? assert.fail();
}

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
