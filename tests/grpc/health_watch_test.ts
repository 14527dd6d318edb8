import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import type { Target } from "../../src/engine/doors.ts";
import { MaestroError } from "../../src/errors.ts";
import { HealthWatch, type HealthWatchOptions } from "../../src/grpc/health_watch.ts";
import { ConnectionPool } from "../../src/grpc/pool.ts";
import { openCaller } from "../support/grpc_call.ts";
import { type Health, startHealthServer } from "../support/grpc_health.ts";
import { targetAt } from "../support/grpc_target.ts";
import { Heard, until } from "../support/heard.ts";
import { startHttp2, startTcp } from "../support/raw_server.ts";

/** So that a test is soon done with waiting. */
const SHORT: HealthWatchOptions["backoff"] & object = {
  backoff: "exponential",
  initialDelay: 5,
  multiplier: 2,
  maxDelay: 20,
  jitter: 0.2,
};

/** A watch with a pool of its own. */
function watchAt(endpoint: string, metadata: Target["metadata"] = () => Promise.resolve({})) {
  const pool = new ConnectionPool();
  const heard = new Heard<boolean>();
  const target = { ...targetAt(endpoint), metadata };
  const watch = new HealthWatch({ pool, target, name: "", hear: heard.hear, backoff: SHORT });
  return Object.assign(heard, {
    [Symbol.asyncDispose]: async () => {
      watch[Symbol.dispose]();
      await pool.close();
      await new Promise((resolve) => setTimeout(resolve, 1_300)); // grpc-js's own timers
    },
  });
}

Deno.test("watchHealth() tells the first answer, and each change", async () => {
  await using server = await startHealthServer("SERVING");
  await using caller = openCaller();
  const heard = new Heard<boolean>();
  const end = caller.watchHealth?.(targetAt(server.endpoint), "acme.Shop", heard.hear);
  assert.deepEqual(await heard.count(1), [true]);
  assert.deepEqual(server.asked, ["acme.Shop"]);
  const said: readonly Health[] = [
    "NOT_SERVING",
    "UNKNOWN", // no change
    "SERVICE_UNKNOWN",
    "SERVING",
    "SERVING",
    "UNKNOWN",
    "SERVING",
  ];
  said.forEach((health) => server.say(health));
  assert.deepEqual(await heard.count(5), [true, false, true, false, true]);
  end?.();
  await until("the watch ended at the server", () => server.watching === 0);
});

Deno.test("watchHealth() says nothing of a watch that breaks, and resumes it", async () => {
  await using server = await startHealthServer("SERVING");
  await using heard = watchAt(server.endpoint);
  await heard.count(1);
  const codes = [grpc.status.UNAVAILABLE, grpc.status.INTERNAL, grpc.status.UNAUTHENTICATED];
  for (const [index, code] of codes.entries()) {
    server.break(code);
    await until("it was resumed", () => server.asked.length === index + 2);
  }
  await until("it is watched", () => server.watching === 1);
  assert.deepEqual(heard.all, [true], "the same answer is told once");
  server.say("NOT_SERVING");
  assert.deepEqual(await heard.count(2), [true, false]);
});

Deno.test("watchHealth() takes a service for healthy whose watch only breaks since it was not serving", async () => {
  await using server = await startHealthServer("NOT_SERVING");
  await using heard = watchAt(server.endpoint);
  await heard.count(1);
  server.say(null);
  for (let broken = 1; broken <= 5; broken++) {
    await until("it is watched", () => server.watching === 1);
    assert.deepEqual(heard.all, [false]);
    server.break(grpc.status.UNAUTHENTICATED);
  }
  await until("it counts as healthy", () => heard.all.length === 2);
  assert.deepEqual(heard.all, [false, true]);
  // It is watched on, and an answer counts again, however often it broke before.
  await until("it is watched again", () => server.watching === 1);
  server.say("NOT_SERVING");
  assert.deepEqual(await heard.count(3), [false, true, false]);
  server.say(null);
  for (let broken = 1; broken <= 4; broken++) {
    await until("it is watched", () => server.watching === 1);
    server.break(grpc.status.INTERNAL);
  }
  await until("it is watched", () => server.watching === 1);
  assert.deepEqual(heard.all, [false, true, false]);
});

Deno.test("watchHealth() resumes when a server that went away is back", async () => {
  const before = await startHealthServer("SERVING");
  await using heard = watchAt(before.endpoint);
  await heard.count(1);
  await before[Symbol.asyncDispose]();
  await using after = await startHealthServer("NOT_SERVING", { port: before.port });
  assert.deepEqual(await heard.count(2), [true, false]);
  assert.equal(after.asked.length, 1);
});

Deno.test("watchHealth() takes a server without health for healthy, and does not ask again", async () => {
  let asked = 0;
  await using server = await startHttp2((stream) => {
    asked++;
    const type = { ":status": 200, "content-type": "application/grpc" };
    stream.respond({ ...type, "grpc-status": "12" }, { endStream: true });
  });
  await using heard = watchAt(server.endpoint);
  assert.deepEqual(await heard.count(1), [true]);
  await new Promise((resolve) => setTimeout(resolve, 10 * SHORT.maxDelay));
  assert.equal(asked, 1);
  assert.deepEqual(heard.all, [true]);
});

Deno.test("watchHealth() does not take a proxy's 404 for a server without health", async () => {
  let asked = 0;
  await using server = await startHttp2((stream) => {
    asked++;
    stream.respond({ ":status": 404, "content-type": "text/html" }, { endStream: true });
  });
  await using heard = watchAt(server.endpoint);
  await until("it was resumed", () => asked === 3);
  assert.deepEqual(heard.all, []);
});

Deno.test("watchHealth() says nothing while nobody answers, and its end is the end", async () => {
  await using silent = await startTcp(() => {});
  await using server = await startHealthServer(null);
  const caller = openCaller();
  const heard = new Heard<boolean>();
  for (const endpoint of ["127.0.0.1:1", silent.endpoint, server.endpoint]) {
    caller.watchHealth?.(targetAt(endpoint), "", heard.hear);
  }
  const closed = caller.watchHealth?.(targetAt(server.endpoint), "ended", heard.hear);
  await until("both came in", () => server.watching === 2);
  closed?.();
  await until("one ended", () => server.watching === 1);
  server.say("SERVING");
  assert.deepEqual(await heard.count(1), [true], "who ended it hears no more");
  await caller.close();
  await until("all ended", () => server.watching === 0);
  server.say("NOT_SERVING");
  await new Promise((resolve) => setTimeout(resolve, 1_300)); // grpc-js's own timers
  assert.deepEqual(heard.all, [true]);
});

Deno.test("watchHealth() sends the service's own metadata, made anew for each watch", async () => {
  await using server = await startHealthServer("SERVING");
  let asked = 0;
  const metadata = () =>
    ++asked === 2
      ? Promise.reject(new MaestroError("INPUT_INVALID", "The secret is being replaced"))
      : Promise.resolve({ authorization: `Bearer ${asked}` });
  await using heard = watchAt(server.endpoint, metadata);
  await heard.count(1);
  assert.equal(server.metadata["authorization"], "Bearer 1");
  server.break(grpc.status.UNAUTHENTICATED);
  await until("it is watched again", () => server.asked.length === 2);
  assert.equal(server.metadata["authorization"], "Bearer 3");
});

Deno.test("watchHealth() sends no deadline, and nothing of a call's", async () => {
  await using server = await startHealthServer("SERVING");
  await using heard = watchAt(server.endpoint);
  await heard.count(1);
  const keys = Object.keys(server.metadata).filter((key) => /^(maestro|idempot|grpc-t)/.test(key));
  assert.deepEqual(keys, []);
});
