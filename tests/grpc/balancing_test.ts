import assert from "node:assert/strict";
import type { Caller, Target } from "../../src/engine/doors.ts";
import { callOnce, failureOf, openCaller, outputOf } from "../support/grpc_call.ts";
import { type ScriptedServer, startServer } from "../support/grpc_server.ts";
import { SHOP } from "../support/grpc_shop.ts";
import { targetAt } from "../support/grpc_target.ts";
import { until } from "../support/heard.ts";
import { tempFiles } from "../support/temp_files.ts";

const scripts = { "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }) };

const hasIpv6 = (() => {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
})();

/** Calls until so many were answered in a row; gives how many went to each server. */
async function answered(
  caller: Caller,
  target: Target,
  servers: readonly ScriptedServer[],
  count: number,
): Promise<number[]> {
  for (let calls = 0; calls < 1_000; calls++) {
    const before = servers.map((server) => server.calls.length);
    let left = count;
    while (left > 0 && (await callOnce(caller, target, "Shop/Buy")).ok) left--;
    if (left === 0) return servers.map((server, index) => server.calls.length - before[index]!);
  }
  throw new Error("is never answered");
}

function both(
  one: ScriptedServer,
  two: ScriptedServer,
  loadBalancing: "round_robin" | "pick_first",
) {
  const endpoint = `ipv4:127.0.0.1:${one.port},127.0.0.1:${two.port}`;
  return targetAt(endpoint, { loadBalancing, schema: SHOP });
}

Deno.test("round_robin spreads calls evenly, goes on without a server that died, and takes it back", async () => {
  await using one = await startServer({ scripts });
  const two = await startServer({ scripts });
  await using caller = openCaller({ lingers: 1_300 });
  const target = both(one, two, "round_robin");
  await until("both are reached", async () => {
    outputOf(await callOnce(caller, target, "Shop/Buy"));
    return one.calls.length > 0 && two.calls.length > 0;
  });
  const [first = 0, second = 0] = await answered(caller, target, [one, two], 40);
  assert(Math.abs(first - second) <= 2, `${first} and ${second}`);

  two.stop();
  assert.deepEqual(await answered(caller, target, [one, two], 40), [40, 0]);

  await using back = await startServer({ scripts, address: `127.0.0.1:${two.port}` });
  await until("it is reached", async () => {
    await answered(caller, target, [one, back], 1);
    return back.calls.length > 0;
  });
  assert(one.calls.length > 60, "never stopped");
});

Deno.test("round_robin says why none of its servers is reached", async () => {
  const [one, two] = [await startServer({ scripts }), await startServer({ scripts })];
  const target = both(one, two, "round_robin");
  one.stop();
  two.stop();
  await using caller = openCaller({ lingers: 1_300 });
  assert.deepEqual(failureOf(await callOnce(caller, target, "Shop/Buy")), {
    code: "UNAVAILABLE",
    message: `Cannot reach "shop" at ${target.endpoint}: connection refused`,
    outcome: "not_sent",
  });
});

Deno.test("pick_first stays with one server, and takes the next when it dies", async () => {
  await using one = await startServer({ scripts });
  await using two = await startServer({ scripts });
  await using caller = openCaller({ lingers: 1_300 });
  const target = both(one, two, "pick_first");
  const before = await answered(caller, target, [one, two], 40);
  assert.deepEqual([...before].sort(), [0, 40]);
  const [chosen, other] = before[0] === 40 ? [one, two] : [two, one];
  chosen.stop();
  assert.deepEqual(await answered(caller, target, [chosen, other], 40), [0, 40]);
});

Deno.test("pick_first passes over addresses where nobody is", async () => {
  await using server = await startServer({ scripts });
  await using caller = openCaller({ lingers: 1_300 });
  const endpoint = `ipv4:127.0.0.1:1,127.0.0.1:2,127.0.0.1:${server.port}`;
  outputOf(await callOnce(caller, targetAt(endpoint, { schema: SHOP }), "Shop/Buy"));
});

Deno.test("every form of endpoint reaches its server, by either way of balancing", async () => {
  await using files = await tempFiles({});
  const socket = `unix:${files.path("shop.sock")}`;
  await using local = await startServer({ scripts, address: socket });
  await using server = await startServer({ scripts });
  await using caller = openCaller({ lingers: 1_300 });
  const endpoints = [
    socket,
    `unix://${files.path("shop.sock")}`,
    `127.0.0.1:${server.port}`,
    `localhost:${server.port}`,
    `ipv4:127.0.0.1:${server.port}`,
    `dns:localhost:${server.port}`,
    `dns:///localhost:${server.port}`,
  ];
  for (const loadBalancing of ["pick_first", "round_robin"] as const) {
    for (const endpoint of endpoints) {
      const target = targetAt(endpoint, { loadBalancing, schema: SHOP });
      outputOf(await callOnce(caller, target, "Shop/Buy"));
    }
  }
  assert.equal(local.calls.length, 4);
  assert.equal(server.calls.length, 10);
});

Deno.test({
  name: "an endpoint may be an IPv6 address",
  ignore: !hasIpv6,
  async fn() {
    await using server = await startServer({ scripts, address: "[::1]:0" });
    await using caller = openCaller({ lingers: 1_300 });
    for (const endpoint of [`[::1]:${server.port}`, `ipv6:[::1]:${server.port}`]) {
      outputOf(await callOnce(caller, targetAt(endpoint, { schema: SHOP }), "Shop/Buy"));
    }
    assert.equal(server.calls.length, 2);
  },
});
