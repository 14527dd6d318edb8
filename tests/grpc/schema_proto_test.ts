import assert from "node:assert/strict";
import { fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { MaestroError } from "../../src/errors.ts";
import { descriptorSetSchema } from "../../src/grpc/schema_set.ts";
import { protoSchema } from "../../src/grpc/schema_proto.ts";
import { tempFiles } from "../support/temp_files.ts";

const SERVICES = new URL("../../examples/services", import.meta.url).pathname;

Deno.test("protoSchema() makes of .proto text what protoc makes of it", async () => {
  // The set was made by protoc: see generate.sh beside it.
  const set = fromBinary(
    FileDescriptorSetSchema,
    await Deno.readFile(`${SERVICES}/services.binpb`),
  );
  const compiled = set.file.filter((file) => !/^(google|grpc)\//.test(file.name));
  assert(compiled.length >= 8);
  const { schema } = await protoSchema(
    compiled.map((file) => `${SERVICES}/proto/${file.name}`),
    [`${SERVICES}/proto`],
  );
  for (const file of compiled) {
    const parsed = schema.registry.getFile(file.name);
    assert(parsed !== undefined, file.name);
    assert.deepEqual(comparable(parsed.proto), comparable(file), file.name);
  }
});

/** The order of imports, and ranges that are only there to be checked, don't matter. */
function comparable(file: FileDescriptorProto): unknown {
  const copy = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, file));
  copy.dependency.sort();
  delete copy.options;
  for (const message of copy.messageType) {
    message.reservedName = [];
    message.reservedRange = [];
  }
  return toJson(FileDescriptorProtoSchema, copy);
}

Deno.test("protoSchema() says in plain words why a file can't be read", async () => {
  await using files = await tempFiles({ "folder/inside.txt": "" });
  const folder = files.path("folder");
  const cases = [
    [folder, "it is a directory; name a file in it"],
    [`${folder}/inside.txt/a.proto`, "there is no such file"],
    [`${folder}/a.proto`, "there is no such file"],
  ] as const;
  for (const [path, why] of cases) {
    await assert.rejects(protoSchema([path], []), {
      code: "SCHEMA_UNAVAILABLE",
      message: `Cannot read "${path}": ${why}`,
    });
    await assert.rejects(descriptorSetSchema(path), {
      code: "SCHEMA_UNAVAILABLE",
      message: `Cannot read the descriptor set "${path}": ${why}`,
    });
  }
});

Deno.test("protoSchema() finds imports in import_paths, then beside the file, and well-known ones anywhere", async () => {
  await using files = await tempFiles({
    "a/main.proto": `syntax = "proto3"; package a;
      // import "not/there.proto";
      import public "shared/money.proto"; import "near.proto";
      import "google/protobuf/any.proto"; import 'google/rpc/status.proto';
      import "google/api/annotations.proto";
      message M { shared.Money money = 1; Near near = 2; google.rpc.Status status = 3; }
      service S { rpc Do(M) returns (M) { option (google.api.http) = { post: "/do" body: "*" }; } }`,
    "a/near.proto": `syntax = "proto3"; package a; message Near { M.Deep d = 1; }
      message M2 {} enum E { E0 = 0; }`.replace("M.Deep d = 1;", "E e = 1;"),
    "lib/shared/money.proto":
      `syntax = "proto3"; package shared; message Money { int64 units = 1; }`,
  });
  const { schema, files: read } = await protoSchema([files.path("a/main.proto")], [
    files.path("lib"),
  ]);
  assert.deepEqual(schema.services.map((service) => service.typeName), ["a.S"]);
  assert.equal(schema.registry.getMessage("a.M")?.field.money?.message?.typeName, "shared.Money");
  assert.deepEqual(read?.toSorted(), [
    files.path("a/main.proto"),
    files.path("a/near.proto"),
    files.path("lib/shared/money.proto"),
  ]);
});

Deno.test("protoSchema() reads proto2 with groups, extensions and defaults, and editions", async () => {
  await using files = await tempFiles({
    "two.proto": `syntax = "proto2"; package two;
      message A { required string a = 1 [default = "x"]; repeated group Item = 2 { optional A a = 1; }
        extensions 100 to 200; optional E e = 3 [default = Y]; }
      enum E { option allow_alias = true; X = 0; Y = 1; YY = 1; }
      extend A { optional string more = 100; }
      service S { rpc Do(A) returns (A); }`,
    "edition.proto": `edition = "2023"; package ed; option features.field_presence = IMPLICIT;
      message M { string a = 1; string b = 2 [features.field_presence = EXPLICIT];
        N n = 3 [features.message_encoding = DELIMITED]; message N {} }`,
  });
  const { schema: { registry } } = await protoSchema(
    [files.path("two.proto"), files.path("edition.proto")],
    [],
  );
  const two = registry.getMessage("two.A");
  assert.equal(two?.field.item?.message?.typeName, "two.A.Item");
  assert.equal(two?.field.item?.fieldKind, "list");
  assert.equal(two?.field.item?.listKind, "message");
  assert.equal(two?.field.item?.delimitedEncoding, true);
  assert.equal(two?.field.e?.fieldKind, "enum");
  assert.equal(two?.field.e?.getDefaultValue(), 1);
  assert.equal(registry.getExtension("two.more")?.number, 100);
  const edition = registry.getMessage("ed.M");
  assert.equal(edition?.field.a?.presence, 2);
  assert.equal(edition?.field.b?.presence, 1);
  assert.equal(edition?.field.n?.fieldKind, "message");
  assert.equal(edition?.field.n?.delimitedEncoding, true);
});

/** A file, and the message that it must give; `@` is the file's directory. */
const BROKEN: readonly (readonly [text: string, message: string])[] = [
  [
    'syntax = "proto3";\nmessage A {\n  string a = 1\n  int32 b = 2;\n}\n',
    '@/main.proto:4:3: Expected ";", found "int32"',
  ],
  [
    'syntax = "proto3";\nmessage A {\n  string a = 1;',
    "@/main.proto:3:16: Unexpected end of the file",
  ],
  ['syntax = "proto3";\n\n}\n', '@/main.proto:3:1: Unexpected "}"'],
  [
    'syntax = "proto3";\nmessage B { string a = 1; }\nmessage A {\n  string a = 1;\n  int32 a = 2;\n}\n',
    "@/main.proto:5:9: A has the name a twice",
  ],
  [
    'syntax = "proto3";\nmessage A {\n  string a = 1;\n  int32 b = 1;\n}\n',
    "@/main.proto:4:13: A has the number 1 twice",
  ],
  [
    'syntax = "proto3";\npackage p;\nmessage A {\n  // Mony\n  repeated Mony price = 1;\n}\n',
    '@/main.proto:5:12: Cannot find the type "Mony" that p.A.price uses',
  ],
  [
    'syntax = "proto3";\nmessage A {}\nservice S {\n  rpc Do(A) returns (stream B);\n}\n',
    '@/main.proto:4:29: Cannot find the type "B" that S.Do uses',
  ],
  [
    'syntax = "proto3";\n/* the\n money */ import "lib/money.proto";\n',
    '@/main.proto:3:18: Cannot find the import "lib/money.proto": looked in "@"; ' +
    'add to "import_paths" the directory that holds lib/money.proto',
  ],
];

Deno.test("protoSchema() says where a file is broken, and how", async () => {
  for (const [text, message] of BROKEN) {
    await using files = await tempFiles({ "main.proto": text });
    await assert.rejects(protoSchema([files.path("main.proto")], []), (error) => {
      assert(error instanceof MaestroError);
      assert.equal(error.message, message.replaceAll("@", files.directory));
      assert.equal(error.code, "SCHEMA_UNAVAILABLE");
      return true;
    });
  }
});

Deno.test("protoSchema() names the import path that would do, where it can be seen", async () => {
  await using files = await tempFiles({
    "protos/pay/v1/pay.proto": 'syntax = "proto3";\nimport "money/v1/money.proto";\n',
    "protos/money/v1/money.proto": 'syntax = "proto3";\n',
    "other/x.proto": "",
  });
  const pay = files.path("protos/pay/v1/pay.proto");
  await assert.rejects(protoSchema([pay], [files.path("other")]), {
    code: "SCHEMA_UNAVAILABLE",
    message: `${pay}:2:8: Cannot find the import "money/v1/money.proto": looked in ` +
      `"${files.path("other")}", "${files.path("protos/pay/v1")}"; ` +
      `add "${files.path("protos")}" to the service's "import_paths"`,
  });
});

Deno.test("protoSchema() names a file that is not there", async () => {
  await assert.rejects(protoSchema(["no/such.proto"], []), {
    code: "SCHEMA_UNAVAILABLE",
    message: 'Cannot read "no/such.proto": there is no such file',
  });
});

Deno.test("protoSchema() refuses files that import each other", async () => {
  await using files = await tempFiles({
    "a.proto": 'syntax = "proto3"; import "b.proto";',
    "b.proto": 'syntax = "proto3"; import "a.proto";',
  });
  await assert.rejects(protoSchema([files.path("a.proto")], []), {
    code: "SCHEMA_UNAVAILABLE",
    message: /its files form a circle: b\.proto imports a\.proto imports b\.proto$/,
  });
});
