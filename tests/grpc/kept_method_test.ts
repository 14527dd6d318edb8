/** Methods that are looked for in a schema that was kept, whatever the service says by now. */
import assert from "node:assert/strict";
import type { KeptText, Method } from "../../src/engine/doors.ts";
import { keptText } from "../../src/grpc/kept_schema.ts";
import { protoSchema } from "../../src/grpc/schema_proto.ts";
import type { Schema } from "../../src/grpc/schema.ts";
import type { Json } from "../../src/workflow/json.ts";
import type { Value } from "../../src/workflow/value.ts";
import { openCaller, outputOf, unreachable } from "../support/grpc_call.ts";
import { startServer } from "../support/grpc_server.ts";
import { targetAt } from "../support/grpc_target.ts";
import { tempFiles } from "../support/temp_files.ts";

const PLACE = { file: "test.yaml", line: 1, column: 1 };

/** A shop whose one field has had several names. */
function shopWith(field: string): string {
  return `syntax = "proto3"; package acme;
    service Shop { rpc Buy(Order) returns (Order); }
    message Order { string ${field} = 1; }`;
}

async function schemaWith(field: string): Promise<Schema> {
  await using files = await tempFiles({ "shop.proto": shopWith(field) });
  return (await protoSchema([files.path("shop.proto")], [])).schema;
}

/** The shop's server, which sends back what it gets. */
async function startShop(field: string, address?: string) {
  let conversations = 0;
  const server = await startServer({
    schema: await schemaWith(field),
    scripts: { "acme.Shop/Buy": ({ request }) => request },
    reflection: { onStream: () => conversations++ },
    ...(address !== undefined && { address }),
  });
  return { server, conversations: () => conversations };
}

async function answerOf(method: Method, input: Value): Promise<Json> {
  const answer = await method.call(method.encode(input), {
    metadata: {},
    timeout: 5_000,
    maxMessages: 1,
    signal: new AbortController().signal,
  });
  return outputOf(answer);
}

/** As it comes out of a journal: other objects, the same text. */
function stored({ schema }: Method): KeptText {
  assert(schema !== undefined);
  return JSON.parse(JSON.stringify(schema));
}

Deno.test("method() finds a method in the schema it is given, when the server has another by now", async () => {
  const before = await startShop("sku");
  const { endpoint } = before.server;
  let kept: KeptText;
  {
    await using caller = openCaller();
    const method = await caller.method(targetAt(endpoint), "Shop/Buy");
    assert.deepEqual(await answerOf(method, { sku: "a" }), { sku: "a" });
    kept = stored(method);
  }
  await before.server[Symbol.asyncDispose]();
  const after = await startShop("article", endpoint);
  await using _server = after.server;
  await using caller = openCaller(); // Maestro was restarted as well
  const target = targetAt(endpoint);
  const method = await caller.method(target, "Shop/Buy", { schema: kept });
  assert.deepEqual(await answerOf(method, { sku: "a" }), { sku: "a" });
  assert.deepEqual(after.server.calls.map(({ request }) => request), [{ article: "a" }]);
  assert.throws(() => method.encode({ article: "a" }), { code: "INVALID_REQUEST" });
  assert.deepEqual(method.types("acme.Order")?.fields.map(({ name }) => name), ["sku"]);
  assert.deepEqual(stored(method), kept);
  assert.equal(after.conversations(), 0);

  // Who is given none goes by what the server says now, before and after.
  const current = await caller.method(target, "Shop/Buy");
  assert.deepEqual(await answerOf(current, { article: "b" }), { article: "b" });
  assert.notEqual(stored(current).digest, kept.digest);
  assert(await caller.method(target, "Shop/Buy", { schema: { ...kept } }) === method);
  assert(await caller.method(target, "Shop/Buy") === current);
  assert.equal(after.conversations(), 1);
});

Deno.test("method() needs neither server nor files for a method of a schema it is given", async () => {
  const schema = keptText(await schemaWith("sku"));
  await using caller = openCaller();
  for (
    const source of [
      { kind: "reflection" },
      { kind: "proto", files: ["gone.proto"], importPaths: [], place: PLACE },
      { kind: "descriptor_set", file: "gone.binpb", place: PLACE },
    ] as const
  ) {
    const target = targetAt("127.0.0.1:1", { schema: source });
    const method = await caller.method(target, "Buy", { schema });
    assert.deepEqual(method.encode({ sku: "a" }).json, { sku: "a" });
  }
});

Deno.test("method() says what it does not find in a schema it is given", async () => {
  const schema = keptText(await schemaWith("sku"));
  await using caller = openCaller();
  const target = targetAt("127.0.0.1:1");
  await assert.rejects(caller.method(target, "Sell", { schema }), {
    code: "METHOD_NOT_FOUND",
    message:
      'Cannot find the method "Sell" in the schema that the run began with; it has acme.Shop/Buy',
  });
  const damaged = { ...schema, text: "" };
  await using other = openCaller(); // the one above has the digest's schema at hand
  await assert.rejects(other.method(target, "Buy", { schema: damaged }), {
    code: "SCHEMA_UNAVAILABLE",
  });
  const method = await other.method(target, "Buy", { schema });
  assert.equal(method.name, "acme.Shop/Buy", "a failure is not kept");
});

Deno.test("method() looks at endpoint and TLS files also where it is given a schema", async () => {
  const schema = keptText(await schemaWith("sku"));
  await using caller = openCaller();
  const tls = { ca: "gone.pem", cert: null, key: null, serverName: null };
  for (const target of [targetAt("http://shop"), targetAt("localhost:1", { tls })]) {
    await assert.rejects(caller.method(target, "Buy", { schema }), { code: "USAGE" });
  }
  const signal = AbortSignal.abort();
  const aborted = caller.method(targetAt("127.0.0.1:1"), "Buy", { schema, signal });
  assert.equal((await unreachable(aborted)).code, "CANCELLED");
});
