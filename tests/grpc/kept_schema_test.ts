/** Schemas as a journal keeps them: what a run began with is what it goes on with. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import {
  clone,
  create,
  fromBinary,
  getOption,
  type Message,
  setExtension,
  toBinary,
} from "@bufbuild/protobuf";
import {
  FeatureSet_FieldPresence,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  SourceCodeInfoSchema,
} from "@bufbuild/protobuf/wkt";
import { ReflectionService } from "npm:@grpc/reflection@1.0.4";
import { loadSync } from "npm:@grpc/proto-loader@0.8.1";
import type { KeptText } from "../../src/engine/doors.ts";
import { keptSchema, keptText } from "../../src/grpc/kept_schema.ts";
import { findMethod } from "../../src/grpc/methods.ts";
import { ConnectionPool } from "../../src/grpc/pool.ts";
import { reflectSchema } from "../../src/grpc/reflect_schema.ts";
import { encodeRequest } from "../../src/grpc/request.ts";
import { descriptorSetSchema } from "../../src/grpc/schema_set.ts";
import { protoSchema } from "../../src/grpc/schema_proto.ts";
import { buildSchema, type Schema } from "../../src/grpc/schema.ts";
import { messageValue } from "../../src/workflow/message.ts";
import { tag, untag, type Value } from "../../src/workflow/value.ts";
import { filesOf, PROTOS, shopSchema } from "../support/grpc_server.ts";
import { targetAt } from "../support/grpc_target.ts";
import { tempFiles } from "../support/temp_files.ts";

const SERVICES = new URL("../../examples/services", import.meta.url).pathname;

/** One of everything that may get lost. */
const EVERYTHING: Value = {
  a_double: 1.5,
  an_int64: 9007199254740993n,
  a_uint64: "18446744073709551615",
  some_bytes: new Uint8Array([0, 255]),
  color: "COLOR_GREEN",
  price: { currency: "EUR", units: 3n },
  note: "", // present and empty
  cash: { units: 9n },
  numbers: [1, 2n],
  colors: ["COLOR_RED", 0],
  counts: { a: 1 },
  by_number: { "-1": { nanos: 2 } },
  by_bool: { true: "yes" },
  at: "2026-01-31T12:00:00.123456789Z",
  lasts: "1.5s",
  extra: { a: [1, null, { b: "c" }] },
  any: { "@type": "type.googleapis.com/acme.Money", units: 9007199254740993n },
  mask: "price.currency",
  maybe_number: 0,
  inner: { renamed: "x", points: 1 },
  money: { a: { nanos: 1 } },
};

/** The schema as another process reads it. */
function again({ digest, text }: KeptText): Schema {
  return keptSchema({ digest, text }).schema;
}

/** What Node's reflection serves of the shop, repaired. */
async function nodeSchema(): Promise<Schema> {
  const server = new grpc.Server();
  const definition = loadSync("acme/shop.proto", { includeDirs: [PROTOS], keepCase: true });
  new ReflectionService(definition).addToServer(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(
      "127.0.0.1:0",
      grpc.ServerCredentials.createInsecure(),
      (error, port) => error === null ? resolve(port) : reject(error),
    )
  );
  const pool = new ConnectionPool();
  try {
    const target = targetAt(`127.0.0.1:${port}`);
    return (await reflectSchema(await pool.connect(target), target)).schema;
  } finally {
    await pool.close();
    server.forceShutdown();
  }
}

/** The shop in a compiled set, with everything in it that protoc and buf add. */
async function setSchema(): Promise<Schema> {
  const set = create(FileDescriptorSetSchema, { file: filesOf(await shopSchema()).reverse() });
  await using files = await tempFiles({ "shop.binpb": toBinary(FileDescriptorSetSchema, set) });
  return await descriptorSetSchema(files.path("shop.binpb"));
}

function encoded(schema: Schema, input: Value) {
  const method = findMethod(schema, { name: "shop", protoService: null }, "Shop/Echo");
  const service = { name: "shop", maxMessageSize: 1_000_000 };
  return { method, request: encodeRequest(method, schema.registry, service, input) };
}

for (
  const [source, load] of [
    [".proto files", shopSchema],
    ["a descriptor set", setSchema],
    ["Node's reflection", nodeSchema],
  ] as const
) {
  Deno.test(`a schema from ${source} is the same when it comes back from a journal`, async () => {
    const schema = await load();
    const kept = keptText(schema);
    const back = again(kept);
    assert.deepEqual(
      back.services.map((service) => service.typeName),
      schema.services.map((service) => service.typeName),
    );
    const before = encoded(schema, EVERYTHING);
    const after = encoded(back, EVERYTHING);
    assert.deepEqual(after.request.parts, before.request.parts);
    assert.deepEqual(after.request.json, before.request.json);
    assert.deepEqual(after.method.idempotency, before.method.idempotency);
    // A value that a run recorded by one is read by the other, and is written as it was.
    const { method: { input: desc }, request } = before;
    const tagged = tag(messageValue(desc, request.message as Message, schema.registry));
    const value = untag(tagged, (name) => back.registry.getMessage(name));
    assert.deepEqual(encoded(back, value).request.parts, before.request.parts);
    assert.deepEqual(tag(value), tagged);
    assert.deepEqual(keptText(back), kept);
  });
}

Deno.test("every file of the example services is the same when it comes back from a journal", async () => {
  // Made by protoc: see generate.sh beside it.
  const schema = await descriptorSetSchema(`${SERVICES}/services.binpb`);
  const back = again(keptText(schema));
  const files = filesOf(schema);
  assert(files.length > 20);
  assert.deepEqual(filesOf(back).map(bytesOf), files.map(bytesOf));
});

function bytesOf(file: FileDescriptorProto): Uint8Array {
  return toBinary(FileDescriptorProtoSchema, file);
}

Deno.test("keptText() is a descriptor set with each file after those it imports, without the well-known ones", async () => {
  const { text } = keptText(await setSchema());
  const { file } = fromBinary(FileDescriptorSetSchema, Uint8Array.from(atob(text), codeOf));
  assert.deepEqual(file.map(({ name }) => name), ["acme/money.proto", "acme/shop.proto"]);
});

function codeOf(character: string): number {
  return character.charCodeAt(0);
}

Deno.test("keptText() is the same text for the same types, whatever was said about them", async () => {
  const bare =
    'syntax = "proto3"; package a; message M { int32 n = 1; } service S { rpc Do(M) returns (M); }';
  await using files = await tempFiles({
    "a.proto": bare,
    "b/a.proto": `// Another comment.\n${bare}`,
  });
  const schemas = await Promise.all(
    [files.directory, files.path("b")].map(async (root) =>
      (await protoSchema([`${root}/a.proto`], [root])).schema
    ),
  );
  const file = schemas[0]?.registry.getFile("a.proto")?.proto ?? assert.fail();
  const commented = clone(FileDescriptorProtoSchema, file);
  commented.sourceCodeInfo = create(SourceCodeInfoSchema, {
    location: [{ path: [4, 0], span: [0, 1, 2], leadingComments: "M" }],
  });
  const texts = [...schemas, buildSchema([commented], "elsewhere")].map(keptText);
  for (const kept of texts) assert.deepEqual(kept, texts[0]);
  const { digest, text } = texts[0] ?? assert.fail();
  assert.equal(digest, createHash("sha256").update(text).digest("hex"));
  assert.notEqual(keptText(await shopSchema()).digest, digest);
});

Deno.test("keptText() is made once for a schema", async () => {
  const schema = await shopSchema();
  const kept = keptText(schema);
  assert(keptText(schema) === kept);
  // Also where a later release would make another text of it.
  assert(keptText(keptSchema(kept).schema) === kept);
});

Deno.test("custom options, proto2's defaults and what is required come back from a journal", () => {
  const file = create(FileDescriptorProtoSchema, {
    name: "acme.proto",
    package: "acme",
    syntax: "proto2",
    dependency: ["google/protobuf/descriptor.proto"],
    extension: [{
      name: "cost",
      number: 50_001,
      label: Label.OPTIONAL,
      type: Type.INT32,
      extendee: ".google.protobuf.MethodOptions",
    }],
    messageType: [{
      name: "M",
      field: [{
        name: "n",
        number: 1,
        label: Label.REQUIRED,
        type: Type.SINT32,
        defaultValue: "-7",
      }],
    }],
    service: [{
      name: "S",
      method: [{ name: "Do", inputType: "M", outputType: "M", options: {} }],
    }],
  });
  const costOf = (schema: Schema) => schema.registry.getExtension("acme.cost") ?? assert.fail();
  const doOf = (schema: Schema) => schema.services[0]?.method["do"] ?? assert.fail();
  const schema = buildSchema([file], "test");
  setExtension(doOf(schema).proto.options ?? assert.fail(), costOf(schema), 42);
  const back = again(keptText(schema));
  assert.equal(getOption(doOf(back), costOf(back)), 42);
  const field = doOf(back).input.field["n"] ?? assert.fail();
  assert.equal(field.presence, FeatureSet_FieldPresence.LEGACY_REQUIRED);
  assert.equal(create(doOf(back).input)["n" as never], -7);
});

Deno.test("keptSchema() refuses a text that is not what was kept", async () => {
  const { digest, text } = keptText(await shopSchema());
  const other = keptText(await descriptorSetSchema(`${SERVICES}/services.binpb`));
  const strange = "not a schema at all";
  const cases: readonly KeptText[] = [
    { digest, text: text.slice(0, -8) },
    { digest, text: "" },
    { digest, text: other.text }, // what a schema may well be, and not this one
    { digest: createHash("sha256").update(strange).digest("hex"), text: strange },
  ];
  for (const kept of cases) {
    assert.throws(() => keptSchema(kept), {
      name: "MaestroError",
      code: "SCHEMA_UNAVAILABLE",
      message: "Cannot use the schema that the run began with: the store's copy of it, " +
        `${kept.digest}, is damaged`,
    });
  }
});
