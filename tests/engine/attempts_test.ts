/** Callers that are not quite as they should be. */
import assert from "node:assert/strict";
import {
  type Answer,
  type Caller,
  type CallOptions,
  type Clock,
  type Method,
  Unreachable,
} from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { RunReport } from "../../src/engine/report.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { JumpingClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";

/** Runs a workflow over a caller that does this with every call of `Work`, and answers all others. */
async function playOver(
  text: string,
  work: (options: CallOptions, nth: number, clock: Clock) => Promise<Answer>,
): Promise<RunReport> {
  const clock = new JumpingClock();
  let nth = 0;
  const caller: Caller = {
    method: (_, name) =>
      Promise.resolve({
        name,
        idempotency: "unknown",
        types: () => undefined,
        encode: () => ({ json: {}, message: {} }),
        call: (_, options) =>
          name === "Work"
            ? work(options, ++nth, clock)
            : Promise.resolve<Answer>({ ok: true, output: {} }),
      }),
    close: () => Promise.resolve(),
  };
  const engine = new Engine({ caller, clock, journal: memoryJournal(), random: () => 0 });
  try {
    return await (await engine.start(workflowOf(text))).result();
  } finally {
    await engine.close();
    clock.stop();
  }
}

/** Fails as past its deadline, this many milliseconds before it. */
function lateBut(milliseconds: number, { timeout }: CallOptions, clock: Clock): Promise<Answer> {
  const failure = { code: "DEADLINE_EXCEEDED", message: "late", outcome: "unknown" } as const;
  return new Promise((resolve) => {
    clock.at(clock.now() + timeout - milliseconds, () => resolve({ ok: false, failure }));
  });
}

function work(timeouts: { run?: string; step?: string }): string {
  return `
name: work
${timeouts.run ? `timeout: ${timeouts.run}` : ""}
services: { shop: { endpoint: "shop:1", retry: { attempts: 3, initial_delay: 100ms, jitter: 0 } } }
steps:
  - { id: one, service: shop, method: Work ${timeouts.step ? `, timeout: ${timeouts.step}` : ""} }
`;
}

for (
  const [timeouts, code, status] of [
    [{ step: "5s" }, "STEP_TIMEOUT", "failed"],
    [{ run: "5s" }, "RUN_TIMEOUT", "timed_out"],
  ] as const
) {
  Deno.test(`a deadline that fires a fraction early is ${code} all the same`, async () => {
    const report = await playOver(
      work(timeouts),
      (options, _, clock) => lateBut(2, options, clock),
    );
    assert.equal(report.error?.code, code);
    assert.equal(report.status, status);
    assert.equal(report.duration_ms, 5_000);
  });
}

Deno.test("a service's own DEADLINE_EXCEEDED, well before the step's, is retried", async () => {
  const report = await playOver(
    work({ step: "5s" }),
    (options, nth, clock) =>
      nth === 1
        ? lateBut(4_000, options, clock)
        : Promise.resolve({ ok: true, output: { fine: true } }),
  );
  assert.equal(report.status, "completed");
  assert.equal(report.steps[0]?.attempts, 2);
});

Deno.test("a call that throws against its contract may have happened", async () => {
  const report = await playOver(work({}), () => Promise.reject(new Error("a defect")));
  assert.equal(report.error?.code, "UNKNOWN");
  assert.equal(report.error?.message, "a defect");
  assert.equal(report.steps[0]?.outcome, "unknown");
});

/** A service that could not be asked for its methods when the run began. */
function lateToTell(later: (signal: AbortSignal | undefined) => Promise<Method>): Caller {
  let asked = 0;
  return {
    method: (_target, _name, { signal } = {}) => {
      const failure = { code: "UNAVAILABLE", message: "refused", outcome: "not_sent" } as const;
      return ++asked === 1 ? Promise.reject(new Unreachable(failure)) : later(signal);
    },
    close: () => Promise.resolve(),
  };
}

Deno.test("a call whose service does not say its methods is over at its deadline, and was not sent", async () => {
  const clock = new JumpingClock();
  let stopped = 0;
  const caller = lateToTell((signal) => {
    signal?.addEventListener("abort", () => stopped++);
    return new Promise(() => {});
  });
  const engine = new Engine({ caller, clock, journal: memoryJournal(), random: () => 0 });
  try {
    const report = await (await engine.start(workflowOf(work({ step: "5s" })))).result();
    assert.deepEqual([report.error?.code, report.error?.outcome], ["STEP_TIMEOUT", "not_sent"]);
    assert.equal(report.duration_ms, 5_000);
    assert.equal(stopped, 1);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("what it took to find the method is taken off the call's time", async () => {
  const clock = new JumpingClock();
  const timeouts: number[] = [];
  const caller = lateToTell(() =>
    new Promise((resolve) => {
      clock.at(clock.now() + 3_000, () =>
        resolve({
          name: "Work",
          idempotency: "unknown",
          types: () => undefined,
          encode: () => ({ json: {}, message: {} }),
          call(_request, { timeout }) {
            timeouts.push(timeout);
            return Promise.resolve({ ok: true, output: {} });
          },
        }));
    })
  );
  const engine = new Engine({ caller, clock, journal: memoryJournal(), random: () => 0 });
  try {
    await (await engine.start(workflowOf(work({ step: "5s" })))).result();
    assert.deepEqual(timeouts, [2_000]);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("a secret that has gone while a service is asked for its methods fails one step, and not the process", async () => {
  let reads = 0;
  const told = Promise.withResolvers<never>();
  const caller = lateToTell(() => told.promise);
  const secrets = { read: () => Promise.resolve(++reads === 1 ? "s3cret" : undefined) };
  const engine = new Engine({ caller, journal: memoryJournal(), secrets });
  try {
    const text = work({}).replace('shop:1"', 'shop:1", metadata: { a: "{{ .secrets.TOKEN }}" }');
    const report = await (await engine.start(workflowOf(text))).result();
    assert.equal(report.error?.code, "UNAVAILABLE"); // it may be there at the next attempt
    assert.equal(report.error.outcome, "not_sent");
    assert.match(report.error.message, /needs the secret "TOKEN"/);
    told.reject(new Error("too late for anyone"));
  } finally {
    await engine.close();
  }
});
