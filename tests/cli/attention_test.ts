/** Runs that wait for an operator, as `maestro run --output json` shows them, over real sockets. */
import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import type { RunReport } from "../../src/engine/report.ts";
import { type Script, type ScriptedServer, startServer, status } from "../support/grpc_server.ts";
import { type Ended, maestro } from "./program.ts";

const BUY = "acme.shop.v1.Shop/Buy";
const REFUND = "acme.shop.v1.Shop/Refund";

const SERVICES =
  'services: { shop: { endpoint: "127.0.0.1:1", proto_service: acme.shop.v1.Shop } }';

/** A step that buys, and can be undone. */
const buy = (id: string, more = "") =>
  `  - { id: ${id}, service: shop, method: Buy, input: { sku: ${id} }, compensate: { method: Refund, input: { sku: ${id} } }${more} }\n`;

/** Buys whatever is not called `bad`. */
const sells: Script = ({ request }) => {
  const { sku } = request as { sku: string }; // as the workflows send it
  if (sku.startsWith("bad")) throw status(grpc.status.FAILED_PRECONDITION, "Sold out");
  return { order_id: `order of ${sku}` };
};

/** What came of a run over a shop that behaves so. */
async function run(
  scripts: Readonly<Record<string, Script>>,
  files: Readonly<Record<string, string>>,
): Promise<Ended & { readonly report: RunReport; readonly server: ScriptedServer }> {
  await using server = await startServer({ scripts });
  const cwd = await Deno.makeTempDir({ prefix: "maestro_attention_" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(
        `${cwd}/${name}.yaml`,
        text.replaceAll("127.0.0.1:1", server.endpoint),
      );
    }
    const ended = await maestro(
      ["run", "main.yaml", "--output", "json", "--quiet", "--run-id", "order-1"],
      { cwd },
    );
    const report: RunReport = JSON.parse(ended.stdout);
    return { ...ended, report, server };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

/** `Buy a`, `Refund a`, in order. */
const callsTo = ({ calls }: ScriptedServer) =>
  calls.map(({ method, request }) => {
    const { sku } = request as { sku: string }; // as the workflows send it
    return `${method.split("/")[1]} ${sku}`;
  });

Deno.test("past a pivot a step that fails waits for an operator: exit code 3, and nothing is undone", async () => {
  const { code, report, server } = await run({ [BUY]: sells, [REFUND]: () => ({}) }, {
    main: `name: pivoted\n${SERVICES}\nsteps:\n${buy("first")}${buy("pay", ", pivot: true")}${
      buy("bad")
    }${buy("last")}`,
  });
  assert.equal(code, 3);
  assert.equal(report.status, "needs_attention");
  assert.equal(report.finished_at, null);
  assert.deepEqual(
    report.attention.map(({ step, op, error, request }) => [step, op, error.code, request]),
    [
      ["bad", "action", "FAILED_PRECONDITION", { sku: "bad" }],
    ],
  );
  assert.deepEqual(
    report.steps.map(({ path, status, compensation }) => [path, status, compensation]),
    [
      ["first", "completed", null],
      ["pay", "completed", null],
      ["bad", "running", null],
    ],
  );
  assert.deepEqual(callsTo(server), ["Buy first", "Buy pay", "Buy bad"]);
});

Deno.test("a compensation that is denied waits for an operator, the later ones wait: exit code 3", async () => {
  const refunds: Script = ({ request }) => {
    const { sku } = request as { sku: string }; // as the workflows send it
    if (sku === "second") throw status(grpc.status.PERMISSION_DENIED, "Not without the manager");
    return {};
  };
  const { code, report, server } = await run({ [BUY]: sells, [REFUND]: refunds }, {
    main: `name: parked\n${SERVICES}\nsteps:\n${buy("first")}${buy("second")}${buy("third")}${
      buy("bad")
    }`,
  });
  assert.equal(code, 3);
  assert.equal(report.status, "needs_attention");
  assert.deepEqual(
    report.attention.map(({ step, op, error, request }) => [step, op, error.message, request]),
    [
      ["second", "compensate", "Not without the manager", { sku: "second" }],
    ],
  );
  assert.equal(report.error?.step, "bad", "why it turned back");
  assert.deepEqual(report.steps.map(({ path, compensation }) => [path, compensation?.status]), [
    ["first", "pending"],
    ["second", "parked"],
    ["third", "done"],
    ["bad", undefined],
  ]);
  assert.deepEqual(callsTo(server).slice(4), ["Refund third", "Refund second"]);
});

for (
  const [what, steps, refunds, attention] of [
    [
      "in its rollback",
      buy("one") + buy("bad"),
      () => {
        throw status(grpc.status.UNAUTHENTICATED, "Who are you?");
      },
      ["invoice/one", "compensate", "UNAUTHENTICATED"],
    ],
    [
      "past its pivot",
      buy("pay", ", pivot: true") + buy("bad"),
      () => ({}),
      ["invoice/bad", "action", "FAILED_PRECONDITION"],
    ],
  ] as readonly (readonly [string, string, Script, readonly string[]])[]
) {
  Deno.test(`a child run that waits for an operator ${what} parks its parent: exit code 3`, async () => {
    const { code, report, server } = await run({ [BUY]: sells, [REFUND]: refunds }, {
      main: `name: parent\n${SERVICES}\nsteps:\n${
        buy("first")
      }  - { id: invoice, workflow: child.yaml }\n${buy("last")}`,
      child: `name: child\n${SERVICES}\nsteps:\n${steps}`,
    });
    assert.equal(code, 3);
    assert.equal(report.status, "needs_attention");
    assert.deepEqual(
      report.attention.map(({ step, op, error }) => [step, op, error.code]),
      [attention],
    );
    assert.deepEqual(report.steps.map(({ path, kind, status }) => [path, kind, status]), [
      ["first", "call", "completed"],
      ["invoice", "child", "running"],
    ]);
    assert.ok(!callsTo(server).some((call) => call === "Buy last" || call === "Refund first"));
  });
}
