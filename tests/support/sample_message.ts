/** A message type with a field of every kind, made without any .proto file. */
import {
  create,
  createFileRegistry,
  createRegistry,
  type DescMessage,
  fromJson,
  type JsonValue,
  type Registry,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import * as wkt from "@bufbuild/protobuf/wkt";
import { type MessageValue, messageValue } from "../../src/workflow/message.ts";

const WELL_KNOWN = [
  wkt.file_google_protobuf_any,
  wkt.file_google_protobuf_duration,
  wkt.file_google_protobuf_empty,
  wkt.file_google_protobuf_struct,
  wkt.file_google_protobuf_timestamp,
  wkt.file_google_protobuf_wrappers,
];

const singular = (name: string, number: number, type: string, typeName?: string) => ({
  name,
  number,
  type: `TYPE_${type}`,
  label: "LABEL_OPTIONAL",
  ...(typeName && { typeName }),
});
const repeated = (name: string, number: number, type: string, typeName?: string) => ({
  ...singular(name, number, type, typeName),
  label: "LABEL_REPEATED",
});
const entry = (name: string, key: string, value: string, typeName?: string) => ({
  name,
  field: [singular("key", 1, key), singular("value", 2, value, typeName)],
  options: { mapEntry: true },
});

const FILE = {
  name: "acme/user.proto",
  package: "acme",
  syntax: "proto3",
  dependency: WELL_KNOWN.map(({ proto }) => proto.name),
  enumType: [{ name: "Tier", value: [{ name: "FREE", number: 0 }, { name: "GOLD", number: 1 }] }],
  messageType: [
    { name: "Address", field: [singular("city", 1, "STRING")] },
    {
      name: "User",
      field: [
        singular("user_id", 1, "INT64"),
        singular("email", 2, "STRING"),
        singular("age", 3, "UINT32"),
        singular("score", 4, "DOUBLE"),
        singular("avatar", 5, "BYTES"),
        singular("tier", 6, "ENUM", ".acme.Tier"),
        { ...singular("nick_name", 7, "STRING"), proto3Optional: true, oneofIndex: 1 },
        singular("address", 8, "MESSAGE", ".acme.Address"),
        repeated("tags", 9, "STRING"),
        repeated("homes", 10, "MESSAGE", ".acme.Address"),
        repeated("labels", 11, "MESSAGE", ".acme.User.LabelsEntry"),
        repeated("prices", 12, "MESSAGE", ".acme.User.PricesEntry"),
        singular("created", 13, "MESSAGE", ".google.protobuf.Timestamp"),
        singular("ttl", 14, "MESSAGE", ".google.protobuf.Duration"),
        singular("extra", 15, "MESSAGE", ".google.protobuf.Struct"),
        singular("free", 16, "MESSAGE", ".google.protobuf.Value"),
        singular("limit", 17, "MESSAGE", ".google.protobuf.Int64Value"),
        singular("detail", 18, "MESSAGE", ".google.protobuf.Any"),
        { ...singular("phone", 19, "STRING"), oneofIndex: 0 },
        { ...singular("fax", 20, "STRING"), oneofIndex: 0 },
        repeated("tiers", 21, "ENUM", ".acme.Tier"),
        singular("big", 22, "UINT64"),
        singular("active", 23, "BOOL"),
        singular("ratio", 24, "FLOAT"),
        singular("none", 25, "ENUM", ".google.protobuf.NullValue"),
        singular("list", 26, "MESSAGE", ".google.protobuf.ListValue"),
      ],
      nestedType: [
        entry("LabelsEntry", "STRING", "STRING"),
        entry("PricesEntry", "INT32", "MESSAGE", ".acme.Address"),
      ],
      oneofDecl: [{ name: "contact" }, { name: "_nick_name" }],
    },
  ],
};

const files = createFileRegistry(
  fromJson(FileDescriptorProtoSchema, FILE as JsonValue),
  (name) => WELL_KNOWN.find(({ proto }) => proto.name === name),
);

/** `acme.User`. */
export const User: DescMessage = files.getMessage("acme.User")!;

/** `acme.Address`, its one field being `city`. */
export const Address: DescMessage = files.getMessage("acme.Address")!;

/** Both, and the well-known types. */
export const registry: Registry = createRegistry(files, ...WELL_KNOWN);

/** An `acme.User` from ProtoJSON. */
export function user(json: JsonValue = {}): MessageValue {
  return messageValue(User, fromJson(User, json, { registry }), registry);
}

/** An `acme.User` from an init object, for what ProtoJSON can't say. */
export function rawUser(init: object): MessageValue {
  return messageValue(User, create(User, init as never), registry);
}
