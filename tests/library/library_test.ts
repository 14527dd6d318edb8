import assert from "node:assert/strict";
import { MaestroError } from "../../src/errors.ts";
import type { Happening } from "../../src/engine/happening.ts";
import { checkWorkflow } from "../../src/library/check.ts";
import { callerOf, callFailure } from "../../src/library/fake.ts";
import { loadWorkflow } from "../../src/library/load.ts";
import { openEngine } from "../../src/library/open.ts";
import { secretsFrom } from "../../src/library/secrets.ts";

/** A test in a folder of its own. */
function folderTest(name: string, run: (folder: string) => Promise<void>): void {
  Deno.test({
    name,
    sanitizeOps: true,
    sanitizeResources: true,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "maestro_library_" });
      try {
        await run(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

const SHOP = `name: shop
include: services.yaml
steps:
  - { id: reserve, service: stock, method: Reserve, compensate: { method: Release } }
  - { id: ship, service: stock, method: Ship, attempt_timeout: 50ms }
`;
const SERVICES = `services: { stock: { endpoint: "stock:1" } }\n`;

async function shop(folder: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/services.yaml`, SERVICES);
  await Deno.writeTextFile(`${folder}/shop.yaml`, SHOP);
  return `${folder}/shop.yaml`;
}

folderTest("loadWorkflow() reads a file with what it includes", async (folder) => {
  const workflow = await loadWorkflow(await shop(folder));
  assert.equal(workflow.name, "shop");
  assert.equal(workflow.services["stock"]?.endpoint, "stock:1");
});

folderTest("loadWorkflow() throws every problem with its place", async (folder) => {
  const path = `${folder}/wrong.yaml`;
  await Deno.writeTextFile(path, "name: wrong\nstesp: []\nfoo: 1\n");
  await assert.rejects(loadWorkflow(path), (thrown) => {
    assert.ok(thrown instanceof MaestroError);
    assert.equal(thrown.code, "WORKFLOW_INVALID");
    assert.ok(thrown.problems.length > 1);
    assert.ok(thrown.message.includes(`${path}:2:1: `));
    return true;
  });
});

folderTest("loadWorkflow() says of a file that can't be read why", async (folder) => {
  await assert.rejects(loadWorkflow(`${folder}/none.yaml`), /there is no such file/);
  await assert.rejects(loadWorkflow(folder), /it is a directory/);
});

folderTest(
  "checkWorkflow() finds methods that a schema in files lacks, and asks no server",
  async (folder) => {
    await Deno.writeTextFile(
      `${folder}/shop.proto`,
      'syntax = "proto3"; package shop; service Shop { rpc Reserve(M) returns (M); } message M {}',
    );
    await Deno.writeTextFile(
      `${folder}/shop.yaml`,
      `name: shop
services:
  shop: { endpoint: "{{ .env.SHOP_HOST }}:1", proto: [shop.proto] }
  other: { endpoint: "192.0.2.1:1" }
steps:
  - { id: a, service: shop, method: Reserve }
  - { id: b, service: shop, method: Reserv }
  - { id: c, service: other, method: Anything }
`,
    );
    const { workflow, problems } = await checkWorkflow(`${folder}/shop.yaml`);
    assert.equal(workflow?.name, "shop");
    const errors = problems.filter(({ severity }) => severity === "error");
    assert.deepEqual(errors.map(({ code, line }) => [code, line]), [["method_not_found", 7]]);
  },
);

folderTest(
  "checkWorkflow() looks at child workflows, too, each with its own services",
  async (folder) => {
    await Deno.mkdir(`${folder}/bills`);
    await Deno.writeTextFile(
      `${folder}/bills/bill.proto`,
      'syntax = "proto3"; package bill; service Bill { rpc Send(M) returns (M); rpc Find(M) returns (M); } message M {}',
    );
    await Deno.writeTextFile(
      `${folder}/bills/bill.yaml`,
      `name: bill
services: { bill: { endpoint: "192.0.2.1:1", proto: bill.proto, retry: {} } }
steps:
  - { id: a, service: bill, method: Send, verify: { method: Fnid } }
  - { id: b, service: bill, method: Sned }
`,
    );
    await Deno.writeTextFile(
      `${folder}/shop.yaml`,
      "name: shop\nsteps: [{ workflow: bills/bill.yaml }, { workflow: bills/bill.yaml }]\n",
    );
    const { problems } = await checkWorkflow(`${folder}/shop.yaml`);
    assert.deepEqual(
      problems.map(({ code, line, file }) => [code, line, file?.slice(folder.length)]),
      [
        ["maybe_repeated", 4, "/bills/bill.yaml"],
        ["method_not_found", 4, "/bills/bill.yaml"],
        ["method_not_found", 5, "/bills/bill.yaml"],
      ],
    );
  },
);

folderTest("start() tells of an unusable TLS file once, at the service", async (folder) => {
  await Deno.writeTextFile(
    `${folder}/shop.yaml`,
    `name: shop
services:
  shop: { endpoint: "192.0.2.1:1", tls: { ca: none.pem } }
steps:
  - { id: a, service: shop, method: Reserve }
  - { id: b, service: shop, method: Charge }
`,
  );
  const engine = openEngine();
  await assert.rejects(engine.start(await loadWorkflow(`${folder}/shop.yaml`)), (error) => {
    assert.ok(error instanceof MaestroError);
    assert.match(error.message, /^Cannot read the file ".*none.pem" that "shop" names as "tls.ca"/);
    assert.deepEqual(error.problems.map(({ code, line }) => [code, line]), [["usage", 3]]);
    return true;
  });
  await engine.close();
});

folderTest("start() says which setting of which service can't be made", async (folder) => {
  await Deno.writeTextFile(
    `${folder}/shop.yaml`,
    `name: shop
services:
  shop: { endpoint: "192.0.2.1:1", tls: { ca: "{{ .env.MAESTRO_TEST_NO_CA }}" } }
steps:
  - { id: a, service: shop, method: Reserve }
`,
  );
  const engine = openEngine();
  await assert.rejects(engine.start(await loadWorkflow(`${folder}/shop.yaml`)), (error) => {
    assert.ok(error instanceof MaestroError);
    assert.equal(error.code, "EXPRESSION_ERROR");
    assert.match(error.message, /^Cannot make the "tls.ca" of "shop": .*MAESTRO_TEST_NO_CA/);
    assert.deepEqual(error.problems.map(({ code, line }) => [code, line]), [[
      "expression_error",
      3,
    ]]);
    return true;
  });
  await engine.close();
});

folderTest("callerOf() stands for every service", async (folder) => {
  const seen: string[] = [];
  const kinds: string[] = [];
  const engine = openEngine({
    caller: callerOf(({ service, method, metadata }) => {
      seen.push(`${service}/${method} ${metadata["maestro-op"]}`);
      if (method === "Ship") return callFailure("NOT_FOUND", "No such order");
      return { ok: true };
    }),
  });
  const run = await engine.start(await loadWorkflow(await shop(folder)), {
    onHappening: (event: Happening) => kinds.push(event.kind),
  });
  const report = await run.result();
  await engine.close();
  assert.equal(report.status, "compensated");
  assert.deepEqual(seen, ["stock/Reserve action", "stock/Ship action", "stock/Release compensate"]);
  assert.equal(kinds[0], "run_started");
  assert.equal(kinds.at(-1), "run_ended");
});

folderTest(
  "callerOf() answers what throws with UNKNOWN, and what is late with DEADLINE_EXCEEDED",
  async (folder) => {
    const workflow = await loadWorkflow(await shop(folder));
    for (
      const [behave, code] of [
        [() => Promise.reject(new Error("boom")), "UNKNOWN"],
        [() => new Promise<never>(() => {}), "DEADLINE_EXCEEDED"],
      ] as const
    ) {
      const engine = openEngine({
        caller: callerOf(({ method }) => method === "Ship" ? behave() : {}),
      });
      const run = await engine.start(workflow);
      assert.equal((await run.result()).error?.code, code);
      await engine.close();
    }
  },
);

folderTest("secretsFrom() reads files anew, before the environment", async (folder) => {
  const file = `${folder}/token`;
  const secrets = secretsFrom({ files: { TOKEN: file }, env: (name) => `env ${name}` });
  await Deno.writeTextFile(file, "one\n");
  assert.equal(await secrets.read("TOKEN"), "one");
  await Deno.writeTextFile(file, "two");
  assert.equal(await secrets.read("TOKEN"), "two");
  assert.equal(await secrets.read("OTHER"), "env OTHER");
  await Deno.remove(file);
  await assert.rejects(secrets.read("TOKEN"), /there is no such file/);
});
