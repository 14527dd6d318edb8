import assert from "node:assert/strict";
import { type Script, startServer, status } from "../support/grpc_server.ts";
import { tempFiles } from "../support/temp_files.ts";
import { type SentEvent, serve } from "./serving.ts";
import { APPROVAL, closedShop, shop } from "./workflows.ts";

const BUY = "acme.shop.v1.Shop/Buy";
const REFUND = "acme.shop.v1.Shop/Refund";

Deno.test("a run is started, listed, watched, signalled and found again", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({ workflows: files.directory });

  const started = await server.ask("POST", "/runs", {
    workflow: "approval",
    run_id: "order-17",
    correlation_id: "customer-4",
    input: { goods: "tea" },
  });
  assert.equal(started.status, 200);
  assert.equal(started.body.run_id, "order-17");
  assert.equal(started.body.status, "running");

  const events: SentEvent[] = [];
  for await (const event of server.events("/runs/order-17/events")) {
    events.push(event);
    if (event.data.kind !== "step_started" || event.data.path !== "decision") continue;
    const signalled = await server.ask("POST", "/runs/order-17:signal", {
      name: "decided",
      data: { yes: true },
    });
    assert.equal(signalled.status, 200);
  }
  const facts = events.slice(0, -1);
  assert.deepEqual(facts.map(({ data }) => data.seq), facts.map((_, index) => index + 1));
  assert.deepEqual(facts.map(({ id }) => id), facts.map(({ data }) => String(data.seq)));
  assert.equal(facts[0]?.data.kind, "run_started");
  assert.ok(!("env" in facts[0]!.data), "the environment is nobody's business");
  assert.equal(facts.at(-1)?.data.kind, "run_ended");
  assert.equal(events.at(-1)?.event, "end");

  const { body: run } = await server.ask("GET", "/runs/order-17");
  assert.equal(run.status, "completed");
  assert.deepEqual(run.output, { yes: true });

  const { body: page } = await server.ask(
    "GET",
    "/runs?status=completed&text=customer&workflow=approval",
  );
  assert.deepEqual(page.runs.map(({ run_id }: { run_id: string }) => run_id), ["order-17"]);
  assert.equal(page.next_page_token, "");
  const { body: none } = await server.ask("GET", "/runs?until=2020-01-01T00:00:00Z");
  assert.deepEqual(none.runs, []);

  const { body: definition } = await server.ask("GET", "/runs/order-17/definition");
  assert.deepEqual(definition.input, { goods: "tea", count: 1 });
  assert.deepEqual(
    definition.steps.map(({ path, kind }: { path: string; kind: string }) => [path, kind]),
    [["note", "set"], ["decision", "await_signal"]],
  );
});

Deno.test("a run is started once, however often it is asked for", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({ workflows: files.directory });
  const request = { workflow: "approval", run_id: "r1", input: { goods: "tea" } };

  const answers = await Promise.all([1, 2, 3].map(() => server.ask("POST", "/runs", request)));
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
  // The default of the schema is the same input.
  const same = await server.ask("POST", "/runs", { ...request, input: { goods: "tea", count: 1 } });
  assert.equal(same.status, 200);
  const other = await server.ask("POST", "/runs", { ...request, input: { goods: "milk" } });
  assert.equal(other.status, 409);
  assert.equal(other.body.code, 6);
  const { body: page } = await server.ask("GET", "/runs");
  assert.equal(page.runs.length, 1);
});

Deno.test("pages go on where the last one ended, whatever is started meanwhile", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({ workflows: files.directory });
  for (let index = 1; index <= 5; index++) {
    await server.ask("POST", "/runs", { workflow: "approval", run_id: `r${index}` });
  }
  const ids: string[] = [];
  for (let token = ""; ids.length < 20;) {
    const { body } = await server.ask("GET", `/runs?page_size=2&page_token=${token}`);
    ids.push(...body.runs.map(({ run_id }: { run_id: string }) => run_id));
    await server.ask("POST", "/runs", { workflow: "approval", run_id: `later-${ids.length}` });
    token = body.next_page_token;
    if (token === "") break;
  }
  assert.deepEqual(ids, ["r5", "r4", "r3", "r2", "r1"]);

  const { body: page } = await server.ask("GET", "/runs?page_size=2");
  const { status, body } = await server.ask(
    "GET",
    `/runs?page_size=2&status=completed&page_token=${page.next_page_token}`,
  );
  assert.equal(status, 400, "a token is for the filters that it was given out with");
  assert.match(body.message, /other filters/);
});

Deno.test("what happens in all runs is heard in order, and from any place on", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({ workflows: files.directory });
  const reader = server.events("/events");
  assert.equal(await reader.status, 200);
  const heard: SentEvent[] = [];
  const hearing = (async () => {
    for await (const event of reader) {
      heard.push(event);
      if (heard.filter(({ data }) => data.kind === "run_ended").length === 2) break;
    }
  })();
  for (const id of ["a", "b"]) {
    await server.ask("POST", "/runs", { workflow: "approval", run_id: id });
    await server.ask("POST", `/runs/${id}:cancel`);
  }
  await hearing;
  const seqs = (id: string) =>
    heard.filter(({ data }) => data.run_id === id).map(({ data }) => data.seq);
  assert.deepEqual(seqs("a"), seqs("a").map((_, index) => index + 1));
  assert.deepEqual(seqs("b"), seqs("b").map((_, index) => index + 1));

  const again: SentEvent[] = [];
  for await (const event of server.events("/events", { "last-event-id": heard[2]!.id })) {
    again.push(event);
    if (again.length === heard.length - 3) break;
  }
  assert.deepEqual(again, heard.slice(3));
});

Deno.test("a parked compensation is rescued, a breaker forced open and reset", async () => {
  let refunds = 0;
  const scripts: Record<string, Script> = {
    [BUY]: () => ({ order_id: "o1" }),
    [REFUND]: () => {
      if (++refunds === 1) throw status(3, "No such sku");
      return {};
    },
  };
  await using services = await startServer({ scripts });
  await using files = await tempFiles({ "shop.yaml": shop(services.endpoint) });
  await using server = await serve({ workflows: files.directory });

  await server.ask("POST", "/runs", { workflow: "shop", run_id: "r1", input: { sku: "bad" } });
  for await (const { data } of server.events("/runs/r1/events")) {
    if (data.kind === "attention_raised") break;
  }
  const { body: parked } = await server.ask("GET", "/runs/r1");
  assert.equal(
    parked.status,
    "needs_attention",
    JSON.stringify(parked) + JSON.stringify(server.log),
  );
  const [{ step, request }] = parked.attention;
  assert.deepEqual({ step, request }, { step: "buy", request: { sku: "bad" } });
  const resolved = await server.ask("POST", "/runs/r1:resolve", {
    step: "buy",
    action: "retry",
    input: { sku: "good" },
    reason: "It was a typing error",
  });
  assert.equal(resolved.status, 200);
  for await (const { event } of server.events("/runs/r1/events")) if (event === "end") break;
  const { body: run } = await server.ask("GET", "/runs/r1");
  assert.equal(run.status, "compensated");
  assert.deepEqual(services.calls.at(-1)?.request, { sku: "good" });

  const { body: { services: [service] } } = await server.ask("GET", "/services");
  assert.equal(service.service, "shop");
  assert.equal(service.state, "closed");
  assert.deepEqual({ made: service.calls.made, failed: service.calls.failed }, {
    made: 3,
    failed: 1,
  });
  assert.ok(service.calls.p50_ms > 0 && service.calls.p50_ms <= service.calls.p99_ms);
  const opened = await server.ask("POST", `/services/${service.id}:forceOpen`);
  assert.equal(opened.body.state, "forced_open");
  const reset = await server.ask("POST", `/services/${service.id}:reset`);
  assert.equal(reset.body.state, "closed");

  await server.logged(({ message, action }) => message === "audit" && action === "reset");
  const audit = server.log.filter(({ message }) => message === "audit");
  assert.deepEqual(audit.map(({ action, who }) => [action, who]), [
    ["start", "local"],
    ["resolve", "local"],
    ["forceOpen", "local"],
    ["reset", "local"],
  ]);
});

Deno.test("workflows are told with their problems, and checked on demand", async () => {
  await using files = await tempFiles({
    "approval.yaml": APPROVAL,
    "broken.yaml": "name: broken\nsteps:\n  - id: x\n    nonsense: 1\n",
    "not_a_workflow.yaml": "services: {}\n",
  });
  await using server = await serve({ workflows: files.directory });
  const { body: { workflows } } = await server.ask("GET", "/workflows");
  // deno-lint-ignore no-explicit-any -- an answer
  assert.deepEqual(workflows.map(({ name, startable, file }: any) => [name, startable, file]), [
    ["approval", true, "approval.yaml"],
    ["broken.yaml", false, "broken.yaml"],
  ]);
  assert.equal(workflows[1].problems[0].file, "broken.yaml");
  assert.equal(workflows[1].problems[0].line, 3);

  const { body: approval } = await server.ask("GET", "/workflows/approval?version=1");
  assert.equal(approval.text, APPROVAL);
  assert.equal(approval.input_schema.properties.goods.type, "string");
  assert.equal((await server.ask("GET", "/workflows/approval?version=2")).status, 404);
  const start = await server.ask("POST", "/runs", { workflow: "broken.yaml" });
  assert.equal(start.status, 400);

  const { body } = await server.ask("POST", "/workflows:validate", {
    text: "name: x\nsteps: []\n",
  });
  assert.equal(body.problems[0].severity, "error");
  const { body: right } = await server.ask("POST", "/workflows:validate", { text: APPROVAL });
  assert.ok(right.problems.every(({ severity }: { severity: string }) => severity === "warning"));
  const { body: many } = await server.ask("POST", "/workflows:validate", {
    text: "- *a\n".repeat(5_000),
  });
  assert.equal(many.problems.length, 1_000);
});

Deno.test("a workflow that changes is read again, and a broken one keeps what it was", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({ workflows: files.directory });
  await Deno.writeTextFile(files.path("approval.yaml"), APPROVAL.replace('"1"', '"2"'));
  await server.logged(() =>
    server.log.filter(({ message }) => message === "workflow read").length === 2
  );
  const { body: { workflows } } = await server.ask("GET", "/workflows");
  assert.deepEqual(workflows.map(({ version }: { version: string }) => version), ["2"]);

  await Deno.writeTextFile(files.path("approval.yaml"), "name: approval\nsteps: 7\n");
  await server.logged(({ message }) =>
    message === "workflow's file has mistakes: the last good one stays"
  );
  const { body: broken } = await server.ask("GET", "/workflows/approval");
  assert.equal(broken.version, "2");
  assert.equal(broken.startable, true);
  assert.equal(broken.problems[0].severity, "error");
  assert.equal((await server.ask("POST", "/runs", { workflow: "approval" })).status, 200);
});

Deno.test("more runs than may be under way wait for their turn", async () => {
  const { scripts, sell } = closedShop();
  await using services = await startServer({ scripts });
  await using files = await tempFiles({ "shop.yaml": shop(services.endpoint) });
  await using server = await serve({ workflows: files.directory, args: ["--max-runs", "2"] });
  const start = (id: string) =>
    server.ask("POST", "/runs", { workflow: "shop", run_id: id, input: { sku: "x" } });
  await start("r1");
  await start("r2");
  let isStarted = false;
  const third = start("r3").then((answer) => {
    isStarted = true;
    return answer;
  });
  const { body: counts } = await server.ask("GET", "/runs:counts");
  assert.equal(counts.running, 2);
  assert.equal(isStarted, false);
  sell();
  assert.equal((await third).status, 200);
});
