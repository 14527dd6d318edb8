import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { buildSchema } from "../../src/grpc/schema.ts";

/** A field as Node's reflection describes it: without JSON name, its type as it was written. */
function field(name: string, number: number, typeName: string, label = Label.OPTIONAL) {
  return { name, number, label, type: Type.MESSAGE, typeName };
}

function file(
  init: Omit<Parameters<typeof create<typeof FileDescriptorProtoSchema>>[1] & object, "$typeName">,
): FileDescriptorProto {
  return create(FileDescriptorProtoSchema, { syntax: "proto3", ...init });
}

Deno.test("buildSchema() completes descriptors whose names are relative and whose imports are missing", () => {
  const entry = (name: string, typeName: string) => ({
    name,
    options: { mapEntry: true },
    field: [
      { name: "key", number: 1, label: Label.OPTIONAL, type: Type.STRING },
      field("value", 2, typeName),
    ],
  });
  const shop = file({
    name: "shop.proto",
    package: "acme.shop",
    messageType: [{
      name: "Order",
      field: [
        field("total_price", 1, "common.Money"),
        field("money", 2, "Money", Label.REPEATED), // the map's entry …
        field("own", 3, "Money"), // … and the message of the same name
        field("nested", 4, "Inner"),
        field("kind", 5, "Inner.Kind"),
        { name: "note", number: 6, label: Label.OPTIONAL, type: Type.STRING, oneofIndex: 0 },
        { name: "alone", number: 7, label: Label.OPTIONAL, type: Type.STRING, oneofIndex: 1 },
      ],
      oneofDecl: [{ name: "_note" }, { name: "choice" }],
      nestedType: [
        entry("Money", "common.Money"),
        { name: "Inner", enumType: [{ name: "Kind", value: [{ name: "K", number: 0 }] }] },
      ],
    }, { name: "Money" }],
    service: [{
      name: "Shop",
      method: [{ name: "Buy", inputType: "Order", outputType: ".acme.common.Money" }],
    }],
  });
  const common = file({
    name: "common.proto",
    package: "acme.common",
    messageType: [{ name: "Money" }],
  });
  // The importing file comes first.
  const { registry, services } = buildSchema([shop, common], "test");
  const fields = registry.getMessage("acme.shop.Order")?.field ?? assert.fail();
  assert.equal(fields.totalPrice?.message?.typeName, "acme.common.Money");
  assert.equal(fields.totalPrice?.jsonName, "totalPrice");
  assert.equal(fields.money?.fieldKind, "map");
  assert.equal(fields.own?.message?.typeName, "acme.shop.Money");
  assert.equal(fields.nested?.message?.typeName, "acme.shop.Order.Inner");
  assert.equal(fields.kind?.enum?.typeName, "acme.shop.Order.Inner.Kind");
  assert.equal(fields.note?.oneof, undefined);
  assert.equal(fields.note?.presence, 1);
  assert.equal(fields.alone?.oneof?.name, "choice");
  assert.equal(services[0]?.method.buy?.input.typeName, "acme.shop.Order");
});

Deno.test("buildSchema() takes its own well-known types over a server's copies of them", () => {
  const mangled = file({
    name: "google_protobuf.proto",
    package: "google.protobuf",
    messageType: [{
      name: "Value",
      field: [{ name: "nullValue", number: 1, label: Label.OPTIONAL, type: Type.STRING }],
    }],
  });
  const user = file({
    name: "user.proto",
    dependency: ["google_protobuf.proto"],
    messageType: [{ name: "User", field: [field("value", 1, "google.protobuf.Value")] }],
  });
  const { registry } = buildSchema([user, mangled], "test");
  const value = registry.getMessage("User")?.field.value?.message;
  assert.deepEqual(value?.fields.map(({ name }) => name), [
    "null_value",
    "number_value",
    "string_value",
    "bool_value",
    "struct_value",
    "list_value",
  ]);
});
