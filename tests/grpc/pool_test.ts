import assert from "node:assert/strict";
import { connect } from "node:net";
import { ConnectionPool, type PoolTimes } from "../../src/grpc/pool.ts";
import { failureOf, outputOf } from "../support/grpc_call.ts";
import { startServer } from "../support/grpc_server.ts";
import { buyBy } from "../support/grpc_shop.ts";
import { targetAt } from "../support/grpc_target.ts";
import { until } from "../support/heard.ts";
import { join, startBlackHole, startProxy, startTcp } from "../support/raw_server.ts";

/** A pool that closes itself. */
function openPool(times: Partial<PoolTimes> = {}, { lingers = 0 } = {}) {
  const pool = new ConnectionPool(times);
  return Object.assign(pool, {
    [Symbol.asyncDispose]: async () => {
      await pool.close();
      if (lingers > 0) await new Promise((resolve) => setTimeout(resolve, lingers));
    },
  });
}

/** A server that answers when it is told to, and knows how many calls are in. */
async function startHolding(streams?: number) {
  const waiting: (() => void)[] = [];
  const server = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": () =>
        new Promise((resolve) => waiting.push(() => resolve({ order_id: "o1" }))),
    },
    options: streams === undefined ? {} : { "grpc.max_concurrent_streams": streams },
  });
  return Object.assign(server, {
    /** Calls that are in at this moment. */
    waiting,
    answer: () => waiting.splice(0).forEach((answer) => answer()),
  });
}

for (const when of ["from the start", "after a first call"]) {
  Deno.test(`a pool of five channels carries five times a server's streams, ${when}`, async () => {
    await using server = await startHolding(10);
    await using pool = openPool();
    const pooled = { channels: 5, maxConcurrent: 100 };
    const buy = await buyBy(pool, targetAt(server.endpoint, { pool: pooled }));
    if (when === "after a first call") {
      const first = buy();
      await until("it is in", () => server.waiting.length === 1);
      server.answer();
      outputOf(await first);
    }
    const calls = Array.from({ length: 50 }, () => buy());
    await until("50 calls are in", () => server.waiting.length === 50);
    server.answer();
    (await Promise.all(calls)).forEach(outputOf);
  });
}

Deno.test("one channel carries no more than the server's streams, and the others wait", async () => {
  await using server = await startHolding(10);
  await using pool = openPool();
  const buy = await buyBy(pool, targetAt(server.endpoint));
  const calls = Array.from({ length: 25 }, () => buy());
  for (const more of [10, 10, 5]) {
    await until("as many are in as may be", () => server.waiting.length === more);
    server.answer();
  }
  (await Promise.all(calls)).forEach(outputOf);
});

Deno.test("a pool uses one connection for as long as it has streams to spare", async () => {
  await using server = await startHolding();
  await using proxy = await startProxy(server.port);
  await using pool = openPool();
  const pooled = { channels: 5, maxConcurrent: 500 };
  const buy = await buyBy(pool, targetAt(proxy.endpoint, { pool: pooled }));
  const call = async (count: number) => {
    const calls = Array.from({ length: count }, () => buy());
    await until("they are in", () => server.waiting.length === count);
    server.answer();
    (await Promise.all(calls)).forEach(outputOf);
  };
  await call(1);
  await call(100);
  assert.equal(proxy.accepted, 1);
  await call(101);
  assert.equal(proxy.accepted, 2);
  await call(300);
  assert.equal(proxy.accepted, 5);
});

Deno.test("connected() gives the channel of a known target at once", async () => {
  await using server = await startServer({ scripts: {} });
  const pool = new ConnectionPool();
  const target = targetAt(server.endpoint);
  assert.equal(pool.connected(target), undefined);
  const connection = await pool.connect(target);
  assert.equal(pool.connected(target), connection);
  assert.equal(pool.connected(targetAt("127.0.0.1:1")), undefined);
  await pool.close();
  assert.equal(pool.connected(target), undefined);
  await assert.rejects(pool.connect(target), { code: "ENGINE_CLOSED" });
});

Deno.test("targets with settings of their own have connections of their own", async () => {
  await using server = await startServer({
    scripts: { "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }) },
  });
  await using proxy = await startProxy(server.port);
  await using pool = openPool();
  const targets = [10, 20, 10].map((maxConcurrent) =>
    targetAt(proxy.endpoint, { pool: { channels: 1, maxConcurrent } })
  );
  for (const target of targets) outputOf(await (await buyBy(pool, target))());
  assert.equal(proxy.accepted, 2);
});

Deno.test("close() ends, whatever is under way", async () => {
  await using silent = await startTcp(() => {});
  const pool = new ConnectionPool();
  const buy = await buyBy(pool, targetAt(silent.endpoint));
  const answer = buy();
  const { inFlight } = await pool.connect(targetAt(silent.endpoint));
  let cancelled = 0;
  inFlight.begin({ cancel: () => cancelled++ }); // and does not end
  await pool.close();
  assert.equal(failureOf(await answer).code, "CANCELLED");
  assert.equal(cancelled, 1);
});

Deno.test("a connection that is accepted and never made is given up for a new one", async () => {
  await using server = await startServer({
    scripts: { "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }) },
  });
  let connections = 0;
  await using moody = await startTcp((socket) => {
    if (++connections > 1) join(socket, connect(server.port, "127.0.0.1"));
  });
  await using pool = openPool({ connecting: 50 }, { lingers: 400 });
  const buy = await buyBy(pool, targetAt(moody.endpoint));
  const first = failureOf(await buy({}, { timeout: 100 }));
  assert.deepEqual([first.code, first.outcome], ["DEADLINE_EXCEEDED", "not_sent"]);
  outputOf(await buy());
  assert.equal(connections, 2);
});

Deno.test("keepalive finds a peer that vanished without a word", async () => {
  await using server = await startHolding();
  await using hole = await startBlackHole(server.port);
  const keepalive = { interval: 30, timeout: 1_000 };
  await using pool = openPool({ keepalive }, { lingers: 400 });
  const buy = await buyBy(pool, targetAt(hole.endpoint));
  const lost = buy();
  await until("it is in", () => server.waiting.length === 1);
  hole.swallow();
  const { code, outcome } = failureOf(await lost);
  assert.deepEqual([code, outcome], ["UNAVAILABLE", "unknown"]);
  // The next goes by a new connection.
  const next = buy();
  await until("it is in", () => server.waiting.length === 2);
  server.answer();
  outputOf(await next);
});
