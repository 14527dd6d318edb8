import { explain } from "../../src/cli/explain.ts";
import { paintWith } from "../../src/cli/palette.ts";
import type { Place } from "../../src/cli/store_option.ts";
import { callerOf, type CallFailure, callFailure } from "../../src/library/fake.ts";
import { openEngine } from "../../src/library/open.ts";
import { workflowOf } from "../support/engines.ts";

/** Runs steps against a service whose methods answer `{}`, or so. @returns what people are told */
async function told(
  steps: string,
  failures: Readonly<Record<string, CallFailure>> = {},
  head = "",
  store: Place = "sqlite:.maestro/maestro.db",
): Promise<string> {
  const workflow = workflowOf(`name: told
services:
  desk: { endpoint: "desk:1", attempt_timeout: 500ms }
${head}steps:
${steps}`);
  const engine = openEngine({ caller: callerOf(({ method }) => failures[method] ?? {}) });
  try {
    const endpoints = { desk: "localhost:50051" };
    const run = await engine.start(workflow, { runId: "r", input: { user: {} }, endpoints });
    return explain(
      await run.result(),
      { workflow, endpoints, store },
      paintWith(false),
    );
  } finally {
    await engine.close();
  }
}

const A = "  - { id: a, service: desk, method: Do }\n";
const UNDONE = "  - { id: u, service: desk, method: Do, compensate: { method: Undo } }\n";
const LAST = "  - { id: z, service: desk, method: acme.Desk/Last }\n";

const refused = callFailure("FAILED_PRECONDITION", "No");
const lost = callFailure("UNAVAILABLE", "Gone", { outcome: "unknown" });
const unreached = (reason: string) =>
  callFailure("UNAVAILABLE", `Cannot reach "desk" at desk:1: ${reason}`, { outcome: "not_sent" });
const LATE = '"desk" at desk:1 gave no answer within';

const RPC = "type.googleapis.com/google.rpc.";

/** A refusal with everything that `google/rpc/error_details.proto` has. */
const detailed = callFailure("FAILED_PRECONDITION", "Cannot order", {
  reason: "OUT_OF_STOCK",
  domain: "shop.acme.com",
  metadata: { sku: "a-1" },
  details: [
    {
      "@type": `${RPC}ErrorInfo`,
      reason: "OUT_OF_STOCK",
      domain: "shop.acme.com",
      metadata: { sku: "a-1" },
    },
    { "@type": `${RPC}LocalizedMessage`, locale: "de-DE", message: "Nicht lieferbar" },
    {
      "@type": `${RPC}BadRequest`,
      field_violations: [
        { field: "items[0].sku", description: "must not be empty", reason: "EMPTY" },
        { field: "email", description: "is no address\u001b[31m", reason: "" },
      ],
    },
    {
      "@type": `${RPC}PreconditionFailure`,
      violations: [
        { type: "TOS", subject: "acme.com/shop", description: "Terms of service not accepted" },
        { type: "STOCK", subject: "", description: "" },
      ],
    },
    {
      "@type": `${RPC}QuotaFailure`,
      violations: [
        { subject: "project:7", description: "Daily limit of orders is used up", quota_id: "" },
      ],
    },
    {
      "@type": `${RPC}ResourceInfo`,
      resource_type: "acme.shop.v1.Item",
      resource_name: "items/a-1",
      owner: "warehouse",
      description: "is gone",
    },
    { "@type": `${RPC}RequestInfo`, request_id: "req-9", serving_data: "secret" },
    { "@type": `${RPC}RetryInfo`, retry_delay: "5s" },
    {
      "@type": `${RPC}Help`,
      links: [{ description: "About stock", url: "https://acme.com/stock" }, {
        url: "https://x.y",
      }],
    },
    { "@type": `${RPC}DebugInfo`, stack_entries: ["at secret"], detail: "secret" },
    { "@type": "type.googleapis.com/acme.Coin", value: "CAE=" },
    { "@type": `${RPC}BadRequest`, value: "Cv8=" },
  ],
});

const violations = Array.from({ length: 20 }, (_, index) => ({ field: `f${index}` }));
const tooMany = callFailure("INVALID_ARGUMENT", "", {
  details: [
    { "@type": `${RPC}BadRequest`, field_violations: violations },
    { "@type": `${RPC}RetryInfo`, retry_delay: "90.500s" },
  ],
});

interface Case {
  readonly when: string;
  readonly steps: string;
  readonly last?: CallFailure;
  readonly undo?: CallFailure;
  readonly head?: string;
}

const CASES: readonly Case[] = [
  { when: "nothing was done", steps: LAST, last: refused },
  { when: "a call is in doubt, and nothing undoes it", steps: LAST, last: lost },
  { when: "a call was done, and nothing undoes it", steps: A + LAST, last: refused },
  { when: "calls were done or are in doubt, and nothing undoes them", steps: A + LAST, last: lost },
  { when: "what was done is undone", steps: A + UNDONE + LAST, last: refused },
  {
    when: "a compensation fails for good",
    steps: UNDONE + LAST,
    last: refused,
    undo: callFailure("PERMISSION_DENIED", "Not you"),
  },
  { when: "the service is away", steps: LAST, last: unreached("connection refused") },
  {
    when: "the service hangs up",
    steps: LAST,
    last: unreached("it closed the connection at once"),
  },
  {
    when: "an attempt ran out of time",
    steps: LAST,
    last: callFailure("DEADLINE_EXCEEDED", `${LATE} 500ms`),
  },
  {
    when: "something else ran out",
    steps: LAST,
    last: callFailure("DEADLINE_EXCEEDED", `${LATE} 200ms`),
  },
  {
    when: "the service lacks the method",
    steps: LAST,
    last: callFailure("UNIMPLEMENTED", "unknown method Last"),
  },
  {
    when: "a web server answers",
    steps: LAST,
    last: callFailure(
      "UNIMPLEMENTED",
      '"desk" at desk:1 answered with HTTP status 404 and no gRPC',
    ),
  },
  { when: "the service says in detail what is wrong", steps: LAST, last: detailed },
  { when: "the service finds more wrong than anyone would read", steps: LAST, last: tooMany },
  { when: "the input lacks a value", steps: '  - set: { a: "{{ .input.name }}" }\n' },
  {
    when: "the input lacks a value in a map",
    steps: '  - set: { a: "{{ .input.user.e_mail }}" }\n',
  },
  {
    when: "a step's answer lacks a field",
    steps: `${A}  - { id: s, set: { b: "{{ .a.name }}" } }\n`,
  },
  {
    when: "a call's input can't be made",
    steps: `${A}  - { id: c, service: desk, method: Do, input: { x: "{{ .a.name }}" } }\n`,
  },
  {
    when: "the output can't be made",
    steps: A,
    head: 'output: "{{ .input.name }}"\n',
  },
  {
    when: "a step inside a block fails",
    steps: "  - id: b\n    steps:\n      - fail: { code: ABORTED, message: Enough }\n",
  },
  {
    when: "a block is repeated for nothing",
    steps: `  - id: b\n    repeat:\n    ${UNDONE}    until: "{{ false }}"\n    max_rounds: 1\n`,
  },
];

for (const { when, steps, last, undo, head } of CASES) {
  Deno.test(`explain() when ${when}`, async (t) => {
    const failures = { ...(last && { "acme.Desk/Last": last }), ...(undo && { Undo: undo }) };
    await t.assertSnapshot(await told(steps, failures, head));
  });
}

Deno.test("explain() when a server's run could not reach a service, and waits", async (t) => {
  const pivot = "  - { id: p, service: desk, method: Do, pivot: true }\n";
  const failures = { "acme.Desk/Last": unreached("connection refused") };
  const place = { server: "https://m.example.com", tokenFile: "my token" };
  await t.assertSnapshot(await told(pivot + LAST, failures, "", place));
});
