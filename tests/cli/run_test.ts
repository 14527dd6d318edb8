import assert from "node:assert/strict";
import { startServer } from "../support/grpc_server.ts";
import { deskTest, DONE } from "./desk.ts";
import { command, maestro, steady } from "./program.ts";

const REFUSED = `${DONE}  - { id: second, service: desk, method: Refuse, input: { text: two } }\n`;

deskTest("a run that completes gives 0 and its report as JSON", async (desk, t) => {
  const file = await desk.workflow("fine", DONE);
  const { code, stdout, stderr } = await maestro(["run", file, "--set", "text=hi"], {
    cwd: desk.folder,
  });
  assert.equal(code, 0);
  const report = JSON.parse(stdout);
  assert.deepEqual(Object.keys(report), [
    "run_id",
    "workflow",
    "version",
    "correlation_id",
    "status",
    "output",
    "error",
    "attention",
    "started_at",
    "finished_at",
    "duration_ms",
    "steps",
  ]);
  assert.deepEqual(report.output, { text: "hi" });
  await t.assertSnapshot(steady(stderr));
});

deskTest("pretty prints the output alone, --quiet nothing else", async (desk) => {
  const file = await desk.workflow("fine", DONE);
  const { code, stdout, stderr } = await maestro(
    ["execute", file, "--input", "-", "--output", "pretty", "--quiet"],
    { cwd: desk.folder, stdin: '{"text": "hi"}' },
  );
  assert.equal(code, 0);
  assert.equal(stdout, '{\n  "text": "hi"\n}\n');
  assert.equal(stderr, "");
});

deskTest(
  "a run that is rolled back gives 1, its report, and says what was undone",
  async (desk, t) => {
    const file = await desk.workflow("refused", REFUSED);
    const { code, stdout, stderr } = await maestro(
      ["run", file, "--set", "text=hi", "--run-id", "order-1", "--correlation-id", "c-1"],
      { cwd: desk.folder },
    );
    assert.equal(code, 1);
    const report = JSON.parse(stdout);
    assert.equal(report.status, "compensated");
    assert.equal(report.run_id, "order-1");
    assert.equal(report.correlation_id, "c-1");
    assert.equal(report.steps[0].compensation.status, "done");
    assert.deepEqual(desk.calls, ["Do hi", "Refuse two", "Undo hi"]);
    await t.assertSnapshot(steady(stderr));
  },
);

deskTest("a service that can't be reached is named, with its attempts", async (desk, t) => {
  const file = await desk.workflow("away", DONE);
  const { code, stderr } = await maestro(
    ["run", file, "--set", "text=hi", "--endpoint", "desk=127.0.0.1:1", "--output", "pretty"],
    { cwd: desk.folder },
  );
  assert.equal(code, 1);
  assert.match(stderr, /127\.0\.0\.1:1\b/);
  assert.match(stderr, /UNAVAILABLE after 3 attempts/);
  await t.assertSnapshot(steady(stderr));
});

deskTest(
  "a compensation that is denied parks the run: 3, and what is left is named",
  async (desk, t) => {
    const steps = DONE.replace("method: Undo", "method: Deny") +
      "  - { id: second, service: desk, method: Refuse, input: { text: two } }\n";
    const file = await desk.workflow("parked", steps);
    const { code, stdout, stderr } = await maestro(["run", file, "--set", "text=hi"], {
      cwd: desk.folder,
    });
    assert.equal(code, 3);
    const report = JSON.parse(stdout);
    assert.equal(report.status, "needs_attention");
    assert.deepEqual(
      report.attention.map(({ step, op }: { step: string; op: string }) => [step, op]),
      [
        ["first", "compensate"],
      ],
    );
    await t.assertSnapshot(steady(stderr));
  },
);

const PIVOT = `${DONE}  - { id: pay, service: desk, method: Do, input: { text: pay }, pivot: true }
`;

deskTest(
  "past the pivot a step that is refused parks the run: 3, and what an operator can do is said",
  async (desk, t) => {
    const steps = `${PIVOT}  - { id: pause, wait: 1ms }
  - { id: hello, set: { greeting: hello } }
  - { id: ship, service: desk, method: Refuse, input: { text: "{{ .greeting }}" } }
`;
    const file = await desk.workflow("forward", steps);
    const { code, stdout, stderr } = await maestro(["run", file, "--set", "text=hi"], {
      cwd: desk.folder,
    });
    assert.equal(code, 3);
    const report = JSON.parse(stdout);
    assert.equal(report.status, "needs_attention");
    assert.equal(report.finished_at, null);
    const { error, ...parked } = report.attention[0];
    assert.deepEqual(parked, { step: "ship", op: "action", request: { text: "hello" } });
    assert.equal(error.code, "FAILED_PRECONDITION");
    assert.deepEqual(
      report.steps.map(({ path, kind, status }: Record<string, string>) => [path, kind, status]),
      [
        ["first", "call", "completed"],
        ["pay", "call", "completed"],
        ["pause", "wait", "completed"],
        ["hello", "set", "completed"],
        ["ship", "call", "running"],
      ],
    );
    assert.deepEqual(desk.calls, ["Do hi", "Do pay", "Refuse hello"]);
    await t.assertSnapshot(steady(stderr).replace(/\(\dms\)/, "(<t>)"));
  },
);

deskTest(
  "a child run that is parked parks its parent: 3, and its step is named",
  async (desk, t) => {
    const undone = DONE.replace("method: Undo", "method: Deny")
      .replaceAll(".input.text", ".run.workflow");
    await desk.workflow("child", undone);
    const file = await desk.workflow(
      "parent",
      `  - { id: inner, workflow: child.yaml }
  - { id: second, service: desk, method: Refuse, input: { text: two } }
`,
    );
    const args = ["run", file, "--output", "events"];
    const { code, stdout, stderr } = await maestro(args, { cwd: desk.folder });
    assert.equal(code, 3);
    const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    const raised = events.find(({ kind }) => kind === "attention_raised");
    assert.equal(raised.run_id, `${events[0].run_id}/inner`);
    assert.equal(raised.path, "first");
    await t.assertSnapshot(steady(stderr));
    const json = await maestro(["run", file], { cwd: desk.folder });
    assert.equal(json.code, 3);
    const { attention, steps } = JSON.parse(json.stdout);
    assert.deepEqual(
      attention.map(({ step, op }: Record<string, string>) => [step, op]),
      [["inner/first", "compensate"]],
    );
    assert.deepEqual([steps[0].path, steps[0].kind], ["inner", "child"]);
  },
);

deskTest(
  "a child workflow's service can be had elsewhere, and its methods are checked",
  async (desk) => {
    const child = `name: child
services: { away: { endpoint: "127.0.0.1:1", proto: [desk.proto] } }
steps: [ { id: only, service: away, method: Do } ]
`;
    await Deno.writeTextFile(`${desk.folder}/child.yaml`, child);
    const file = await desk.workflow("parent", "  - { id: inner, workflow: child.yaml }");
    const args = ["run", file, "--endpoint", `away=${desk.endpoint}`, "--quiet"];
    const { code, stderr } = await maestro(args, { cwd: desk.folder });
    assert.equal(code, 0, stderr);
    assert.equal(desk.calls.length, 1);

    await Deno.writeTextFile(
      `${desk.folder}/child.yaml`,
      child.replace("method: Do", "method: Dou"),
    );
    const broken = await maestro(["validate", file], { cwd: desk.folder });
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /^child\.yaml:3:\d+: .*Dou/m);
  },
);

deskTest(
  "events are one JSON object a line, in order, from the first to the last",
  async (desk) => {
    const file = await desk.workflow("refused", REFUSED);
    const { code, stdout } = await maestro(
      ["run", file, "--set", "text=hi", "--output", "events"],
      { cwd: desk.folder },
    );
    assert.equal(code, 1);
    const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(events[0].kind, "run_started");
    assert.equal(events.at(-1).kind, "run_ended");
    assert.deepEqual(events.map(({ seq }) => seq), events.map((_, index) => index + 1));
    assert.ok(events.every(({ run_id, at }) => run_id === events[0].run_id && at.endsWith("Z")));
  },
);

deskTest("logs are JSON lines with who and what, and no payload", async (desk) => {
  const file = await desk.workflow("refused", REFUSED);
  const args = ["run", file, "--set", "text=hush", "--log-level", "debug", "--log-format", "json"];
  const { stderr } = await maestro(args, { cwd: desk.folder });
  const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  const failed = lines.find(({ message }) => message === "step failed");
  assert.deepEqual(Object.keys(failed), [
    "time",
    "level",
    "message",
    "run_id",
    "correlation_id",
    "trace_id",
    "workflow",
    "service",
    "method",
    "step",
    "code",
    "outcome",
    "attempts",
    "duration_ms",
  ]);
  assert.equal(failed.level, "error");
  assert.equal(lines.at(-1).message, "run ended");
  assert.equal(lines.at(-1).status, "compensated");
  assert.doesNotMatch(stderr, /hush|ada@example\.com/);
});

deskTest("payloads are logged at trace only, and secrets never", async (desk) => {
  await Deno.writeTextFile(`${desk.folder}/token.txt`, "token-12345\n");
  const steps = `  - id: denied
    service: desk
    method: Deny
    input: { text: "{{ .input.text }}" }
    metadata: { authorization: "{{ .secrets.TOKEN }}" }
`;
  const file = await desk.workflow("denied", steps);
  const args = [
    "run",
    file,
    "--set",
    "text=hush",
    "--secret",
    "TOKEN=@token.txt",
    "--log-file",
    "run.log",
  ];
  const { code, stderr } = await maestro([...args, "--log-level", "trace"], { cwd: desk.folder });
  assert.equal(code, 1);
  const log = await Deno.readTextFile(`${desk.folder}/run.log`);
  assert.match(log, /hush/);
  assert.match(log, /Not you, \[secret\]/);
  assert.doesNotMatch(log + stderr, /token-12345/); // which the service gives away
  for (const line of log.trimEnd().split("\n").map((text) => JSON.parse(text))) {
    if (line.level !== "trace") assert.doesNotMatch(JSON.stringify(line), /hush|Not you/);
  }
});

deskTest("a secret that nobody gives is refused before anything runs", async (desk) => {
  const steps =
    `  - { service: desk, method: Do, metadata: { authorization: "{{ .secrets.NO_SUCH_TOKEN }}" } }`;
  const file = await desk.workflow("token", steps);
  const { code, stderr } = await maestro(["run", file], { cwd: desk.folder });
  assert.equal(code, 2);
  assert.match(stderr, /NO_SUCH_TOKEN/);
  assert.deepEqual(desk.calls, []);
});

deskTest("a method that there is not is found before anything runs", async (desk, t) => {
  const file = await desk.workflow("lost", "  - { id: lost, service: desk, method: Dou }");
  for (const args of [["run", file, "--output", "pretty"], ["validate", file]]) {
    const { code, stderr } = await maestro(args, { cwd: desk.folder });
    assert.equal(code, 2);
    assert.match(stderr, /^lost\.yaml:\d+:\d+: /);
    await t.assertSnapshot(steady(stderr));
  }
  assert.deepEqual(desk.calls, []);
});

deskTest(
  "validate --online asks services for their schema, and says which are away",
  async (desk) => {
    await Deno.writeTextFile(
      `${desk.folder}/online.yaml`,
      `name: online
services: { desk: { endpoint: "127.0.0.1:1" } }
steps: [ { id: one, service: desk, method: Do } ]
`,
    );
    const offline = await maestro(["validate", "online.yaml"], { cwd: desk.folder });
    assert.equal(offline.code, 0);
    const online = await maestro(["validate", "online.yaml", "--online"], { cwd: desk.folder });
    assert.equal(online.code, 2);
    assert.match(online.stderr, /^online\.yaml:2:\d+: .*127\.0\.0\.1:1/m);
  },
);

deskTest(
  "validate warns of a method that may be done twice, which --strict refuses",
  async (desk, t) => {
    const file = await desk.workflow("twice", "  - { id: twice, service: desk, method: Do }");
    const { code, stdout, stderr } = await maestro(["validate", file], { cwd: desk.folder });
    assert.equal(code, 0);
    assert.equal(stdout, `${file}: 1 warning\n`);
    await t.assertSnapshot(steady(stderr));
    const strict = await maestro(["validate", file, "--strict"], { cwd: desk.folder });
    assert.equal(strict.code, 2);
    // Asked online as well, it is told once.
    const online = await maestro(["validate", file, "--online"], { cwd: desk.folder });
    assert.deepEqual([online.code, online.stdout, online.stderr], [code, stdout, stderr]);
  },
);

Deno.test("validate --online warns of what may be done twice by what servers say, in file order", async () => {
  await using server = await startServer({ scripts: {} });
  const cwd = await Deno.makeTempDir({ prefix: "maestro_online_" });
  try {
    await Deno.writeTextFile(
      `${cwd}/shop.yaml`,
      `name: shop
services:
  shop: { endpoint: "${server.endpoint}", proto_service: acme.shop.v1.Shop, retry: {} }
steps:
  - { service: shop, method: Buy }
  - { service: shop, method: Refund }
  - { service: shop, method: Refund, idempotent: true }
  - { service: shop, method: Refund, output: unread }
  - { service: shop, method: Refund, idempotent: false }
`,
    );
    const found = async (...args: string[]) => {
      const { code, stdout } = await maestro(
        ["validate", "shop.yaml", "--output", "json", ...args],
        {
          cwd,
        },
      );
      const problems: readonly { line: number; code: string }[] = JSON.parse(stdout).problems;
      return [code, ...problems.map((problem) => `${problem.line} ${problem.code}`)];
    };
    assert.deepEqual(await found(), [0, "8 unused_output"]);
    assert.deepEqual(await found("--online"), [
      0,
      "6 maybe_repeated",
      "8 maybe_repeated",
      "8 unused_output",
    ]);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

deskTest("--inspect shows the machines as JSON lines, without payloads", async (desk) => {
  const file = await desk.workflow("fine", DONE);
  const { code, stderr } = await maestro(["run", file, "--set", "text=hush", "--inspect"], {
    cwd: desk.folder,
  });
  assert.equal(code, 0);
  const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  const types = new Set(lines.map(({ type }) => type));
  for (const type of ["@xstate.actor", "@xstate.event", "@xstate.snapshot"]) {
    assert.ok(types.has(type), type);
  }
  assert.doesNotMatch(stderr, /hush/);
});

deskTest("a reader that goes away ends neither the run nor its exit code", async (desk) => {
  const file = await desk.workflow("refused", REFUSED);
  const child = command(["run", file, "--set", "text=hi", "--output", "events"], {
    cwd: desk.folder,
  }).spawn();
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  assert.equal((await child.status).code, 1);
  assert.deepEqual(desk.calls, ["Do hi", "Refuse two", "Undo hi"]);
});
