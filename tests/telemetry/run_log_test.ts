import assert from "node:assert/strict";
import { openEngine } from "../../src/library/open.ts";
import type { Happening } from "../../src/engine/happening.ts";
import { callerOf, callFailure, type CallHandler } from "../../src/library/fake.ts";
import type { LogFormat } from "../../src/telemetry/format.ts";
import type { LogLevel } from "../../src/telemetry/levels.ts";
import { openLogs } from "../../src/telemetry/open_logs.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { logHappenings } from "../../src/telemetry/run_log.ts";
import { SecretMask } from "../../src/telemetry/secret_mask.ts";
import { JumpingClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";

const WORKFLOW = workflowOf(`
name: order
services:
  shop: { endpoint: "shop:1", retry: { attempts: 2, initial_delay: 1ms } }
steps:
  - { id: reserve, service: shop, method: Reserve, input: { card: "card-4711" }, compensate: { method: Release } }
  - { id: ship, service: shop, method: Ship, input: { to: "Ada" } }
`);

/** Backs off for longer than a process lives here. */
const PATIENT = workflowOf(`
name: patient
services: { shop: { endpoint: "shop:1", retry: { attempts: 3, initial_delay: 50ms, jitter: 0 } } }
steps:
  - { id: ship, service: shop, method: Ship }
`);

/** The log of one run. */
async function logOf(
  handler: CallHandler,
  level: LogLevel,
  format: LogFormat = "json",
): Promise<string> {
  let text = "";
  const mask = new SecretMask();
  mask.remember("hunter2!");
  const { logger, close } = await openLogs({
    level,
    format,
    mask: mask.mask,
    write: (lines) => void (text += lines),
  });
  const engine = openEngine({ caller: callerOf(handler), onHappening: logHappenings(logger) });
  try {
    const run = await engine.start(WORKFLOW, { runId: "r1", correlationId: "c1" });
    await run.result();
  } finally {
    await engine.close();
    await close();
  }
  return text;
}

/** Charges, refuses to ship. */
const REFUSING: CallHandler = ({ method }) => {
  if (method === "Ship") {
    return callFailure("FAILED_PRECONDITION", "Ada has moved; token hunter2!", {
      reason: "MOVED",
      domain: "shop",
    });
  }
  return { receipt: "receipt-0815" };
};

function linesOf(text: string): Record<string, unknown>[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

const test = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true });

test("a log says of each line who, where and how long", async () => {
  const lines = linesOf(await logOf(REFUSING, "debug"));
  for (const line of lines) {
    assert.deepEqual(Object.keys(line).slice(0, 5), [
      "time",
      "level",
      "message",
      "run_id",
      "correlation_id",
    ]);
    assert.deepEqual([line["run_id"], line["correlation_id"], line["workflow"]], [
      "r1",
      "c1",
      "order",
    ]);
  }
  const attempt = lines.find(({ message }) => message === "attempt completed");
  assert.equal(attempt?.["step"], "reserve");
  assert.equal(attempt?.["service"], "shop");
  assert.equal(attempt?.["method"], "Reserve");
  assert.equal(attempt?.["attempt"], 1);
  assert.equal(attempt?.["code"], "OK");
  assert.equal(typeof attempt?.["duration_ms"], "number");
  const undone = lines.find(({ message }) => message === "compensation completed");
  assert.equal(undone?.["method"], "Release");
});

test("a log remembers so many runs, and forgets those first that it has heard of longest ago", () => {
  const durations: Record<string, unknown> = {};
  const ignore = () => {};
  const info = (message: string, { run_id, duration_ms }: Record<string, unknown>) => {
    if (message === "run ended") durations[String(run_id)] = duration_ms;
  };
  const logger = { info, trace: ignore, debug: ignore, warn: ignore, error: ignore };
  const hear = logHappenings({ ...logger, isEnabledFor: () => false }, 2);
  const tell = (runId: string, event: Happening) =>
    hear(runId, WORKFLOW, event, { correlationId: "c", traceparent: null });
  for (const id of ["r1", "r2"]) tell(id, started(id));
  const signal = { kind: "signal_received", name: "go", id: "1", payload: {} } as const;
  tell("r1", { v: 1, seq: 2, at: 1_000, ...signal });
  tell("r3", started("r3"));
  for (const id of ["r1", "r2", "r3"]) {
    tell(id, { v: 1, seq: 3, at: 2_000, kind: "run_ended", status: "completed", output: {} });
  }
  assert.deepEqual(durations, { r1: 2_000, r2: undefined, r3: 2_000 });
  return Promise.resolve();
});

function started(runId: string): Happening {
  return {
    v: 1,
    seq: 1,
    at: 0,
    kind: "run_started",
    ...{ runId, workflow: "order", version: null, correlationId: "c", traceparent: "" },
    ...{ definition: "", input: {}, env: {}, schemas: {}, endpoints: {}, deadline: null },
  };
}

test("the lines of a run that goes on after a restart name the same run and trace", async () => {
  const journal = { ...memoryJournal(), close: () => Promise.resolve() };
  const clock = new JumpingClock();
  let isDown = true;
  const lines: Record<string, unknown>[] = [];
  const sent = new Set<string | undefined>();
  for (let process = 0; process < 2; process++) {
    const keep = (message: string, fields: Record<string, unknown>) =>
      void lines.push({ ...fields, process, message });
    const engine = openEngine({
      journal,
      clock,
      caller: callerOf(({ metadata }) => {
        sent.add(metadata["traceparent"]?.split("-")[1]);
        return isDown ? callFailure("UNAVAILABLE", "Down") : {};
      }),
      onHappening: logHappenings({
        trace: keep,
        debug: keep,
        info: keep,
        warn: keep,
        error: keep,
        isEnabledFor: () => false,
      }),
    });
    const backsOff = Promise.withResolvers<void>();
    if (process === 0) {
      const run = await engine.start(PATIENT, { runId: "r1", correlationId: "c1" });
      run.follow((event) => event.kind === "attempt_ended" && backsOff.resolve());
      await backsOff.promise;
      isDown = false;
    } else await (await engine.resume("r1")).result();
    await engine.close();
  }
  clock.stop();
  const told = new Set(
    lines.map(({ run_id, correlation_id, trace_id }) =>
      JSON.stringify([run_id, correlation_id, trace_id])
    ),
  );
  assert.deepEqual([...told], [JSON.stringify(["r1", "c1", ...sent])]);
  assert.deepEqual(new Set(lines.map(({ process }) => process)), new Set([0, 1]));
});

test("below trace there is no payload, and not what services say", async () => {
  const text = await logOf(REFUSING, "debug");
  assert.doesNotMatch(text, /card-4711|receipt-0815|Ada/);
  const failed = linesOf(text).find(({ message }) => message === "step failed");
  assert.deepEqual([failed?.["code"], failed?.["reason"]], ["FAILED_PRECONDITION", "MOVED"]);
});

test("at trace there are payloads, each in a record of its own level, and no secret", async () => {
  const text = await logOf(REFUSING, "trace");
  assert.match(text, /card-4711/);
  assert.match(text, /receipt-0815/);
  assert.match(text, /Ada has moved; token \[secret\]/);
  assert.doesNotMatch(text, /hunter2/);
  for (const line of linesOf(text)) {
    if (line["level"] !== "trace") {
      assert.doesNotMatch(JSON.stringify(line), /card-4711|receipt|Ada/);
    }
  }
});

test("why a service could not be reached is no payload", async () => {
  const text = await logOf(
    () => callFailure("UNAVAILABLE", "Connection refused: shop:1", { outcome: "not_sent" }),
    "warn",
  );
  const [retry] = linesOf(text);
  assert.equal(retry?.["level"], "warn");
  assert.equal(retry?.["message"], "attempt failed, another follows");
  assert.equal(retry?.["error"], "Connection refused: shop:1");
});

test("a level leaves out what is below it", async () => {
  const levels = async (level: LogLevel) =>
    new Set(linesOf(await logOf(REFUSING, level)).map((line) => line["level"]));
  assert.deepEqual(await levels("error"), new Set(["error"]));
  assert.deepEqual(await levels("warn"), new Set(["warn", "error"]));
  assert.deepEqual(await levels("info"), new Set(["info", "warn", "error"]));
});

test("for people a line is short", async (t) => {
  const text = await logOf(REFUSING, "info", "pretty");
  await t.assertSnapshot(
    text.replaceAll(/^\d\d:\d\d:\d\d\.\d{3}/gm, "<time>").replaceAll(
      /duration_ms=\d+/g,
      "duration_ms=<n>",
    ),
  );
});

test("no line is lost when there are many at once", async () => {
  let text = "";
  const { logger, close } = await openLogs({
    level: "info",
    format: "json",
    mask: (text) => text,
    write: (lines) => void (text += lines),
  });
  const log = logHappenings(logger);
  const none = { path: "ship", op: "action", v: 1, seq: 1, at: 0 } as const;
  const origin = { correlationId: "c1", traceparent: null };
  for (let n = 0; n < 5_000; n++) log("r1", WORKFLOW, { kind: "step_skipped", ...none }, origin);
  await close();
  assert.equal(linesOf(text).length, 5_000);
});

test("what is too much at once is dropped and told, but never who did what", async () => {
  let text = "";
  const { logger, audit, close } = await openLogs({
    level: "info",
    format: "json",
    mask: (text) => text,
    write: (lines) => void (text += lines),
  });
  for (let n = 0; n < 50_010; n++) logger.info("said", {});
  audit.info("audit", { who: "ada" });
  await close();
  const lines = linesOf(text);
  assert.equal(lines.filter(({ message }) => message === "said").length, 50_000);
  assert.equal(lines.find(({ message }) => message === "audit")?.["who"], "ada");
  assert.equal(lines.at(-1)?.["dropped"], 10);
});

Deno.test("a value can't break its line, or steer a terminal", async () => {
  const { formatRecord } = await import("../../src/telemetry/format.ts");
  const record = {
    category: ["maestro"],
    level: "info",
    message: ["said"],
    rawMessage: "said",
    timestamp: 0,
    properties: { error: "a\nb\u001b[31m\u009b1m" },
  } as const;
  for (const format of ["pretty", "json"] as const) {
    const line = formatRecord(format, record, { mask: (text) => text });
    assert.equal(line.indexOf("\n"), line.length - 1);
    assert.ok(!line.includes("\u001b"));
    if (format === "pretty") assert.ok(!line.includes("\u009b"));
  }
});

test("a line that can't be written ends neither the log nor the program", async () => {
  const written: string[] = [];
  let isFull = true;
  const { logger, audit, close } = await openLogs({
    level: "info",
    format: "json",
    mask: (text) => text,
    write(lines) {
      if (isFull) throw new Error("The disk is full");
      written.push(lines);
    },
  });
  audit.info("audit", {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  isFull = false;
  audit.info("audit", { now: true });
  logger.info("later", {});
  await close();
  assert.deepEqual(written.flatMap(linesOf).map(({ message }) => message), ["audit", "later"]);
});
