import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ConnectionPool } from "../../src/grpc/pool.ts";
import { callOnce, openCaller, outputOf } from "../support/grpc_call.ts";
import { startServer } from "../support/grpc_server.ts";
import { buyBy, SHOP } from "../support/grpc_shop.ts";
import { targetAt } from "../support/grpc_target.ts";
import { until } from "../support/heard.ts";
import { answerGrpc, frame, startHttp2, startProxy, startTcp } from "../support/raw_server.ts";

const scripts = { "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }) };

Deno.test("a server that was stopped is reached again on the same port", async () => {
  const before = await startServer({ scripts });
  await using caller = openCaller({ lingers: 1_300 });
  const target = targetAt(before.endpoint, { schema: SHOP });
  const call = () => callOnce(caller, target, "Shop/Buy");
  outputOf(await call());
  before.stop();
  await until("nobody is there", async () => {
    const answer = await call();
    return !answer.ok && answer.failure.outcome === "not_sent";
  });
  await using after = await startServer({ scripts, address: before.endpoint });
  await until("it is reached", async () => (await call()).ok);
  assert(after.calls.length > 0);
});

Deno.test("a server that is away is looked for several times a second", async () => {
  await using away = await startTcp((socket) => socket.destroy());
  const pool = new ConnectionPool();
  const { client } = await pool.connect(targetAt(away.endpoint));
  client.getChannel().getConnectivityState(true);
  // grpc-js's own backoff has come to its sixth try after a quarter of a minute.
  await until("it was looked for often", () => away.accepted >= 6, 10_000);
  await pool.close();
  await new Promise((resolve) => setTimeout(resolve, 1_300)); // grpc-js's own timers
});

for (const [channels, what] of [[1, "its connection"], [3, "three connections"]] as const) {
  Deno.test(`no call is lost while a server recycles ${what}`, async () => {
    await using server = await startServer({
      scripts: {
        "acme.shop.v1.Shop/Buy": async () => {
          await new Promise((resolve) => setTimeout(resolve, 2));
          return { order_id: "o1" };
        },
      },
      options: {
        // Not shorter: a call that is refused by a second connection too is lost by right, and
        // that happens where a pause of the process outlasts a connection.
        "grpc.max_connection_age_ms": 300,
        "grpc.max_connection_age_grace_ms": 30_000,
        ...(channels > 1 ? { "grpc.max_concurrent_streams": 3 } : {}),
      },
    });
    await using proxy = await startProxy(server.port);
    await using caller = openCaller({ lingers: 1_300 });
    const pool = { channels, maxConcurrent: 100 };
    const target = targetAt(proxy.endpoint, { schema: SHOP, pool });
    await Promise.all(Array.from({ length: 8 }, async () => {
      while (proxy.accepted < 8 * channels || server.calls.length < 500) {
        outputOf(await callOnce(caller, target, "Shop/Buy"));
      }
    }));
  });
}

Deno.test("no call is lost when a server says GOAWAY to calls that it has not begun", async () => {
  const order = frame(Buffer.from([0x0a, 0x02, 0x6f, 0x31])); // {order_id: "o1"}
  let sent = 0;
  let away = 0;
  await using server = await startHttp2((stream) => {
    const { session } = stream;
    if (++sent % 10 === 0 && session !== undefined) {
      away++;
      session.goaway(0, (stream.id ?? 0) - 2);
      stream.close(7); // REFUSED_STREAM
      return;
    }
    setTimeout(() => {
      if (!stream.destroyed) answerGrpc(stream, order);
    }, 2);
  });
  const pool = new ConnectionPool();
  const buy = await buyBy(pool, targetAt(server.endpoint));
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let left = 100; left > 0; left--) outputOf(await buy());
  }));
  assert(away > 20);
  assert(server.accepted > 20, `${server.accepted} connections`);
  await pool.close();
  await new Promise((resolve) => setTimeout(resolve, 1_300)); // grpc-js's own timers
});
