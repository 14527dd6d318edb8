import assert from "node:assert/strict";
import { type Script, startServer } from "../support/grpc_server.ts";
import { tempFiles } from "../support/temp_files.ts";
import { faithfully } from "./faithfully.ts";
import { type SentEvent, serve } from "./serving.ts";
import { APPROVAL, closedShop, shop } from "./workflows.ts";

const BUY = "acme.shop.v1.Shop/Buy";

Deno.test("after kill -9 nothing is lost, and those who watch go on where they were", async () => {
  const { scripts, sell } = closedShop();
  await using services = await startServer({ scripts });
  await using files = await tempFiles({
    "w/approval.yaml": APPROVAL,
    "w/shop.yaml": shop(services.endpoint),
  });
  const options = { workflows: files.path("w"), store: `sqlite:${files.path("runs.db")}` };
  let server = await serve(options);
  try {
    const ids = ["a", "b", "c"];
    for (const id of ids) {
      const { status } = await server.ask("POST", "/runs", {
        workflow: "shop",
        run_id: id,
        input: { sku: "x" },
      });
      assert.equal(status, 200);
    }
    await server.ask("POST", "/runs", { workflow: "approval", run_id: "asleep" });
    const heard = new Map<string, SentEvent[]>();
    const all: SentEvent[] = [];
    const begun = Promise.withResolvers<void>();
    const watching = ids.map(async (id) => {
      const events: SentEvent[] = [];
      heard.set(id, events);
      for await (const event of faithfully(() => server, `/runs/${id}/events`)) {
        events.push(event);
        if ([...heard.values()].every(({ length }) => length >= 3)) begun.resolve();
      }
    });
    const watchingAll = (async () => {
      for await (const event of faithfully(() => server, "/events?after=0.0")) {
        all.push(event);
        if (all.filter(({ data }) => data.kind === "run_ended").length === 4) return;
      }
    })();
    await begun.promise;
    await server[Symbol.asyncDispose](); // kill -9
    sell();
    server = await serve(options);
    await server.ask("POST", "/runs/asleep:signal", { name: "decided" });
    await Promise.all([...watching, watchingAll]);

    for (const id of ids) {
      const events = heard.get(id) ?? [];
      assert.deepEqual(events.map(({ data }) => data.seq), events.map((_, index) => index + 1));
      assert.equal(events.at(-1)?.data.status, "completed");
      const ofAll = all.filter(({ data }) => data.run_id === id).map(({ data }) => data);
      assert.deepEqual(ofAll, events.map(({ data }) => data));
    }
    const { body } = await server.ask("GET", "/runs:counts");
    assert.equal(body.completed, 4);
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

Deno.test("SIGTERM lets the moment reach the store, ends what is open, and leaves runs resumable", async () => {
  const scripts: Record<string, Script> = {
    [BUY]: ({ signal }) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve({}))),
  };
  const services = await startServer({ scripts });
  await using files = await tempFiles({ "w/shop.yaml": shop(services.endpoint) });
  const options = { workflows: files.path("w"), store: `sqlite:${files.path("runs.db")}` };
  {
    await using server = await serve({ ...options, args: ["--max-runs", "1"] });
    const request = { workflow: "shop", input: { sku: "x" } };
    await server.ask("POST", "/runs", { ...request, run_id: "r1" });
    const waiting = server.ask("POST", "/runs", { ...request, run_id: "r2" });
    const events = server.events("/runs/r1/events");
    const kinds: string[] = [];
    for await (const { event, data } of events) {
      kinds.push(event);
      if (data.kind === "attempt_started") server.kill("SIGTERM");
    }
    assert.ok(!kinds.includes("end"), "the run goes on, so whoever watches comes back");
    const { status } = await waiting;
    assert.equal(status, 503, "nothing new is started");
    assert.equal(await server.ended(), 0);
    assert.deepEqual(server.log.slice(-2).map(({ message }) => message), ["stopping", "stopped"]);
  }
  await services[Symbol.asyncDispose]();

  await using again = await startServer({
    scripts: { [BUY]: () => ({ order_id: "o1" }) },
    address: services.endpoint,
  });
  await using server = await serve(options);
  for await (const { event } of server.events("/runs/r1/events")) if (event === "end") break;
  const { body } = await server.ask("GET", "/runs/r1");
  assert.equal(body.status, "completed");
  assert.equal(again.calls.length, 1);
  assert.equal((await server.ask("GET", "/runs/r2")).status, 404);
});

Deno.test("two servers on one store see each other's runs, and act on them", async () => {
  await using files = await tempFiles({ "w/approval.yaml": APPROVAL });
  const options = { workflows: files.path("w"), store: `sqlite:${files.path("runs.db")}` };
  await using one = await serve(options);
  await using two = await serve(options);
  await one.ask("POST", "/runs", { workflow: "approval", run_id: "r1" });
  const kinds: string[] = [];
  for await (const { event, data } of two.events("/runs/r1/events")) {
    kinds.push(data.kind ?? event);
    if (data.path === "decision" && data.kind === "step_started") {
      const { status } = await two.ask("POST", "/runs/r1:signal", { name: "decided" });
      assert.equal(status, 200);
    }
  }
  assert.deepEqual(kinds.slice(-2), ["run_ended", "end"]);
  const both = await Promise.all(
    [one, two].map((server) => server.ask("POST", "/runs", { workflow: "approval", run_id: "r2" })),
  );
  assert.deepEqual(both.map(({ status }) => status), [200, 200]);
  const { body } = await one.ask("GET", "/runs");
  assert.equal(body.runs.length, 2);
});
