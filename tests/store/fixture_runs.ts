/**
 * The runs of the fixtures: stores that released versions wrote, with a run in every state that there
 * is. What is here may be added to; what stands belongs to the stores that are out there.
 *
 * @module
 */
import type { Caller } from "../../src/engine/doors.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { RunReport } from "../../src/engine/report.ts";
import type { Json } from "../../src/workflow/json.ts";
import type { Script } from "../support/world.ts";

/** When the runs of every fixture began; the clock stood still then. */
export const BEGAN = Date.UTC(2026, 0, 1);

/** A run that was left open, and what comes of it. */
export interface FixtureRun {
  readonly id: string;
  /** The document, without `name` and `services`. */
  readonly steps: string;
  /** The `steps` of its child workflow, `child.yaml`. */
  readonly child?: string;
  /** The names of signals that it was given. */
  readonly signals?: readonly string[];
  /** What is done about it once it goes on. */
  readonly then?: (engine: Engine) => Promise<unknown>;
  readonly status: RunReport["status"];
  /** What is called from where it goes on, sorted. */
  readonly calls: readonly string[];
  readonly output?: Json;
}

/** What all runs say before their steps. */
export const SERVICES = `services:
  shop:
    endpoint: "{{ .env.SHOP }}"
    circuit_breaker: false
    retry: { attempts: 3, initial_delay: 1h, max_delay: 1h, jitter: 0 }
  grpc: { endpoint: "{{ .env.GRPC }}" }
`;

/** The environment when they began; later there is none. */
export const ENVIRONMENT: Readonly<Record<string, string>> = { SHOP: "shop:1", REGION: "eu" };

const BEFORE = `
  - { id: a, service: shop, method: Do, compensate: { method: Undo, input: { id: "{{ .a.id }}" } } }`;
const FAILS = "\n  - { id: f, service: shop, method: Refuse }";

/** What the services do while the runs are left open, by method. */
export const THEN: Readonly<Record<string, Script>> = {
  Do: ({ metadata }) => ({ answer: { id: metadata["maestro-step"] ?? "" } }),
  Hang: { hang: true },
  Busy: { fail: "UNAVAILABLE" },
  Refuse: { fail: "FAILED_PRECONDITION" },
  Lose: { fail: "INTERNAL" },
  Undo: { answer: {} },
  UndoBusy: { fail: "UNAVAILABLE" },
  UndoBad: { fail: "INVALID_ARGUMENT" },
  Find: { fail: "UNAVAILABLE" },
};

/** What they do when the runs go on. */
export const NOW: Readonly<Record<string, Script>> = {
  ...Object.fromEntries(Object.keys(THEN).map((method) => [method, THEN["Do"] ?? { answer: {} }])),
  Refuse: { fail: "FAILED_PRECONDITION" },
};

/** Scripts by service and method. */
export function shop(scripts: Readonly<Record<string, Script>>): Record<string, Script> {
  return Object.fromEntries(
    Object.entries(scripts).map(([method, script]) => [`shop/${method}`, script]),
  );
}

/** One way to the services in memory, and one to those of gRPC at an endpoint. */
export function bothWays(memory: Caller, grpc: Caller, endpoint: string): Caller {
  return {
    method: (target, name, options) =>
      target.service.name === "grpc"
        ? grpc.method({ ...target, endpoint }, name, options)
        : memory.method(target, name, options),
    close: async () => {
      await memory.close();
      await grpc.close();
    },
  };
}

/** The run that needs a schema that was kept. */
export const TYPED = "typed";

/** The runs, by what they are about. */
export const RUNS: readonly FixtureRun[] = [
  {
    id: "ended",
    steps: `steps:${BEFORE}\noutput: { id: "{{ .a.id }}" }`,
    status: "completed",
    calls: [],
    output: { id: "a" },
  },
  {
    id: "waits",
    steps:
      `steps:${BEFORE}\n  - wait: 100d\n  - { id: b, service: shop, method: Do, input: { region: "{{ .env.REGION }}", id: "{{ .a.id }}" } }\noutput: "{{ .b.id + .env.REGION }}"`,
    status: "completed",
    calls: ["b/action"],
    output: "beu",
  },
  {
    id: "awaits",
    steps: `steps:${BEFORE}
  - { id: word, await_signal: word }
  - { id: b, service: shop, method: Do }
output: "{{ .word.text }}"`,
    then: (engine) => engine.signal("awaits", "word", { text: "go" }),
    status: "completed",
    calls: ["b/action"],
    output: "go",
  },
  {
    id: "signalled",
    steps: `steps:
  - { id: a, service: shop, method: Hang }
  - { id: word, await_signal: word }
output: "{{ .word.text }}"`,
    signals: ["word"],
    status: "completed",
    calls: ["a/action"],
    output: "word",
  },
  {
    id: "in_flight",
    steps: `steps:${BEFORE}\n  - { id: b, service: shop, method: Hang }`,
    status: "completed",
    calls: ["b/action"],
  },
  {
    id: "at_most_once",
    steps: `steps:${BEFORE}
  - { id: b, service: shop, method: Hang, idempotent: false, compensate: { method: Undo } }`,
    status: "compensated",
    calls: ["a/compensate", "b/compensate"],
  },
  {
    id: "backs_off",
    steps: `steps:${BEFORE}\n  - { id: b, service: shop, method: Busy }`,
    status: "completed",
    calls: ["b/action"],
  },
  {
    id: "rolls_back",
    steps:
      `steps:${BEFORE}\n  - { id: b, service: shop, method: Do, compensate: { method: UndoBusy } }${FAILS}`,
    status: "compensated",
    calls: ["a/compensate", "b/compensate"],
  },
  {
    id: "is_parked",
    steps:
      `steps:${BEFORE}\n  - { id: b, service: shop, method: Do, compensate: { method: UndoBad } }${FAILS}`,
    then: (engine) =>
      engine.resolve("is_parked", { step: "b", action: "retry", reason: "It is mended" }),
    status: "compensated",
    calls: ["a/compensate", "b/compensate"],
  },
  {
    id: "is_parked_past_its_pivot",
    steps: `steps:
  - { id: pay, service: shop, method: Do, pivot: true }${FAILS}
  - { id: b, service: shop, method: Do }
output: "{{ .f.id }}"`,
    then: (engine) =>
      engine.resolve("is_parked_past_its_pivot", {
        step: "f",
        action: "skip",
        output: { id: "by hand" },
        reason: "It was done by hand",
      }),
    status: "completed",
    calls: ["b/action"],
    output: "by hand",
  },
  {
    id: "verifies",
    steps: `steps:
  - { id: a, service: shop, method: Lose, idempotent: false, verify: { method: Find } }
output: "{{ .a.id }}"`,
    status: "completed",
    calls: ["a/verify"],
    output: "a",
  },
  {
    id: "has_a_child",
    steps: `steps:${BEFORE}
  - { id: kid, workflow: child.yaml, input: { id: "{{ .a.id }}" } }
output: "{{ .kid }}"`,
    child: `steps:
  - { id: one, service: shop, method: Do, compensate: { method: Undo } }
  - { id: two, service: shop, method: Hang, input: { id: "{{ .input.id }}" } }
output: "{{ .one.id + .two.id }}"`,
    status: "completed",
    calls: ["two/action"],
    output: "onetwo",
  },
  {
    id: "loses_its_child",
    steps: `steps:
  - { id: kid, workflow: child.yaml }${FAILS}`,
    child: `steps:
  - { id: one, service: shop, method: Do, compensate: { method: UndoBusy } }`,
    status: "compensated",
    calls: ["one/compensate"],
  },
  {
    id: "loops",
    steps: `steps:
  - id: all
    foreach: [Do, Hang, Do, Hang, Do]
    as: method
    concurrency: 2
    steps:
      - id: one
        switch:
          - when: "{{ .method == 'Do' }}"
            steps: [{ id: done, service: shop, method: Do, compensate: { method: Undo } }]
          - steps: [{ id: hung, service: shop, method: Hang, compensate: { method: Undo } }]
      - set: { last: "{{ .method }}" }
    result: "{{ .last }}"
output: "{{ .all }}"`,
    status: "completed",
    calls: [
      "all[1].one.switch[1].hung/action",
      "all[3].one.switch[1].hung/action",
      "all[4].one.switch[0].done/action",
    ],
    output: ["Do", "Hang", "Do", "Hang", "Do"],
  },
  {
    id: "repeats",
    steps: `steps:
  - id: rounds
    repeat: [{ id: one, service: shop, method: Do, output: state }]
    until: "{{ .state.id == 'rounds[2].one' }}"
    every: 1h
    max_rounds: 5
    result: "{{ .state.id }}"
output: "{{ .rounds }}"`,
    status: "completed",
    calls: ["rounds[1].one/action", "rounds[2].one/action"],
    output: "rounds[2].one",
  },
  {
    id: "goes_side_by_side",
    steps: `steps:
  - id: both
    parallel:
      - { id: left, service: shop, method: Do, compensate: { method: Undo } }
      - { id: right, service: shop, method: Hang }
      - { id: late, needs: [right], service: shop, method: Do }
output: "{{ .both.left.id + .both.late.id }}"`,
    status: "completed",
    calls: ["both.late/action", "both.right/action"],
    output: "both.leftboth.late",
  },
  {
    id: "catches",
    steps: `steps:
  - id: a
    service: shop
    method: Refuse
    catch:
      - steps: [{ id: other, service: shop, method: Hang }]
        result: { id: "{{ .other.id }}" }
output: "{{ .a.id }}"`,
    status: "completed",
    calls: ["a.catch[0].other/action"],
    output: "a.catch[0].other",
  },
  {
    id: "is_told_to_stop",
    steps: `steps:${BEFORE}\n  - { id: word, await_signal: word }`,
    status: "cancelled",
    calls: ["a/compensate"],
  },
  {
    id: TYPED,
    steps: `steps:
  - id: sent
    service: grpc
    method: acme.shop.v1.Shop/Echo
    input: { an_int64: "9007199254740993", some_bytes: "AQID", at: "2026-01-01T00:00:00Z" }
  - { id: b, service: shop, method: Hang }
  - { id: again, service: grpc, method: acme.shop.v1.Shop/Echo, input: "{{ .sent }}" }
output:
  more: "{{ .again.an_int64 + 1 }}"
  bytes: "{{ .sent.some_bytes }}"
  later: "{{ .sent.at + duration('1h') }}"`,
    status: "completed",
    calls: ["b/action"],
    output: { more: "9007199254740994", bytes: "AQID", later: "2026-01-01T01:00:00Z" },
  },
];
