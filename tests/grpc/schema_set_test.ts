import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { describeMethod } from "../../src/grpc/offline.ts";
import { descriptorSetSchema } from "../../src/grpc/schema_set.ts";
import { filesOf, shopSchema } from "../support/grpc_server.ts";
import { tempFiles } from "../support/temp_files.ts";

async function shopSet(keep: (name: string) => boolean): Promise<Uint8Array> {
  const file = filesOf(await shopSchema()).filter(({ name }) => keep(name));
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}

Deno.test("descriptorSetSchema() reads a compiled set, in whatever order its files are", async () => {
  const set = create(FileDescriptorSetSchema, { file: filesOf(await shopSchema()).reverse() });
  await using files = await tempFiles({ "shop.binpb": toBinary(FileDescriptorSetSchema, set) });
  const schema = await descriptorSetSchema(files.path("shop.binpb"));
  assert.deepEqual(schema.services.map((service) => service.typeName), [
    "acme.shop.v1.Shop",
    "acme.shop.v1.Wholesale",
  ]);
});

Deno.test("descriptorSetSchema() does without the well-known files in a set", async () => {
  await using files = await tempFiles({
    "shop.binpb": await shopSet((name) => !name.startsWith("google/")),
  });
  const schema = await descriptorSetSchema(files.path("shop.binpb"));
  assert(schema.registry.getMessage("google.protobuf.Timestamp") !== undefined);
});

Deno.test("descriptorSetSchema() says what is wrong with a file", async () => {
  await using files = await tempFiles({
    "text.binpb": "hello, this is not a descriptor set at all",
    "empty.binpb": "",
    "shop.proto": 'syntax = "proto3";',
    "partial.binpb": await shopSet((name) => name === "acme/shop.proto"),
  });
  const cases: readonly (readonly [string, RegExp])[] = [
    ["none.binpb", /^Cannot read the descriptor set ".*none\.binpb": there is no such file$/],
    [
      "text.binpb",
      /^Cannot use ".*text\.binpb": it is not a descriptor set; make one with "buf build/,
    ],
    ["empty.binpb", /it is not a descriptor set/],
    ["shop.proto", /it is not a descriptor set; .*; name a \.proto file under "proto"$/],
    [
      "partial.binpb",
      /made without its imports \(protoc needs --include_imports\): acme\/shop\.proto: Cannot find the type "\.acme\.Money"/,
    ],
  ];
  for (const [name, message] of cases) {
    const code = "SCHEMA_UNAVAILABLE";
    await assert.rejects(descriptorSetSchema(files.path(name)), { code, message }, name);
  }
});

Deno.test("describeMethod() finds a method in files, and has nothing to say of reflection", async () => {
  await using files = await tempFiles({ "shop.binpb": await shopSet(() => true) });
  const place = { file: "w.yaml", line: 1, column: 1 };
  const service = {
    name: "shop",
    protoService: "Shop",
    schema: { kind: "descriptor_set", file: files.path("shop.binpb"), place },
  } as const;
  const method = await describeMethod(service, "Buy");
  assert.equal(method?.name, "acme.shop.v1.Shop/Buy");
  assert.equal(method?.idempotency, "idempotent");
  assert.equal(method?.input.typeName, "acme.shop.v1.BuyRequest");
  assert.equal(method?.types("acme.Money")?.typeName, "acme.Money");
  await assert.rejects(describeMethod(service, "Sell"), { code: "METHOD_NOT_FOUND" });
  const reflected = { ...service, schema: { kind: "reflection" } } as const;
  assert.equal(await describeMethod(reflected, "Buy"), undefined);
});
