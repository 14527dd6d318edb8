// What is wrong with a workflow, its schema or its input, and is found before the harm is done.
// What needs no service to be found is in tests/cli/usage_test.ts.

import assert from "node:assert/strict";
import { maestro, steady } from "../cli/program.ts";
import { PROTOS, startServer } from "../support/grpc_server.ts";
import { tempFiles } from "../support/temp_files.ts";

/** Files that stand beside the workflow. */
const FILES: Readonly<Record<string, string>> = {
  "folder/inside.txt": "",
  "empty.proto": "",
  "imports.proto":
    'syntax = "proto3";\npackage a;\nimport "acme/nowhere.proto";\nservice Shop { rpc Buy(M) returns (M); }\nmessage M {}\n',
  "syntax.proto":
    'syntax = "proto3";\npackage a;\nservice Shop {\n  rpc Buy(M) retuns (M);\n}\nmessage M {}\n',
  "types.proto":
    'syntax = "proto3";\npackage a;\nservice Shop { rpc Buy(M) returns (Nothing); }\nmessage M {}\n',
  "empty.binpb": "",
  "garbage.binpb": "garbage",
  "empty.json": "",
  "big.json": `{"sku": "${"x".repeat(5 * 1024 * 1024)}"}`,
};

const HEAD = `name: refused
input: { type: object, properties: { sku: { type: string, maxLength: 9 } } }
services:
  shop:
    endpoint: "127.0.0.1:1"
`;

/** The first step, which every case has, is called if nothing stops the run. */
const FIRST = `steps:
  - id: first
    service: shop
    method: Shop/Buy
    compensate: { method: Shop/Refund, input: { sku: "{{ default(.first.order_id, '') }}" } }
`;

function call(method: string, input = "{}"): string {
  return `  - { id: second, service: shop, method: ${method}, input: ${input} }\n`;
}

async function run(text: string, args: readonly string[] = []) {
  await using server = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }),
      "acme.shop.v1.Shop/Refund": () => ({}),
      "acme.shop.v1.Shop/Echo": ({ bytes }) => bytes,
    },
  });
  await using files = await tempFiles({ ...FILES, "w.yaml": text });
  const ended = await maestro(
    ["run", "w.yaml", "--endpoint", `shop=${server.endpoint}`, "--output", "json", ...args],
    { cwd: files.directory },
  );
  assert.doesNotMatch(ended.stderr, /^ {4}at /m, "a stack trace");
  return { ...ended, stderr: steady(ended.stderr), calls: server.calls };
}

interface Refusal {
  readonly what: string;
  /** Line 6: where the service's schema is. */
  readonly schema?: string;
  /** Line 11: the second step. */
  readonly step?: string;
  readonly args?: readonly string[];
  /** How its one problem begins on standard error, place and all. */
  readonly says: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  {
    what: "a method that reflection doesn't know",
    step: call("Ecko"),
    says:
      /^w\.yaml:11:42: Cannot find the method "Ecko" in the reflection of "shop" at <endpoint>; did you mean "Echo"\?/,
  },
  {
    what: "a method that two services have",
    step: call("Buy"),
    says:
      /^w\.yaml:11:42: Cannot tell which "Buy" of "shop" is meant: acme\.shop\.v1\.Shop\/Buy or acme\.shop\.v1\.Wholesale\/Buy; name one in full, or set/,
  },
  {
    what: "a name in an expression that there is not",
    step: call("Echo", '{ a_string: "{{ .frist.order_id }}" }'),
    says: /^w\.yaml:11:71: Unknown name "\.frist"; did you mean "\.first"\?/,
  },
  {
    what: "an integer that YAML would bend",
    step: call("Echo", "{ an_int64: 9007199254740993 }"),
    says: /^w\.yaml:11:67: The integer 9007199254740993 is beyond 2\^53 .*write it as a string/,
  },
  {
    what: "a proto file that is not there",
    schema: "proto: [nope.proto]",
    says: /^w\.yaml:6:5: Cannot read "nope\.proto": there is no such file/,
  },
  {
    what: "a proto file that imports one that is not there",
    schema: "proto: [imports.proto]",
    says:
      /^w\.yaml:6:5: imports\.proto:3:8: Cannot find the import "acme\/nowhere\.proto": looked in [^;]*; add to "import_paths" the directory that holds acme\/nowhere\.proto$/m,
  },
  {
    what: "a proto file with a slip in it",
    schema: "proto: [syntax.proto]",
    says: /^w\.yaml:6:5: syntax\.proto:4:14: Expected "returns", found "retuns"/,
  },
  {
    what: "a proto file that uses a type that there is not",
    schema: "proto: [types.proto]",
    says: /^w\.yaml:6:5: types\.proto:3:36: Cannot find the type "Nothing"/,
  },
  {
    what: "a directory as a proto file",
    schema: "proto: [folder]",
    says: /^w\.yaml:6:5: Cannot read "folder": it is a directory; name a file in it$/m,
  },
  {
    what: "a proto file that is empty",
    schema: "proto: [empty.proto]",
    says: /^w\.yaml:10:13: Cannot find the method "Shop\/Buy" in empty\.proto; it has no method/,
  },
  {
    what: "a directory as a descriptor set",
    schema: "descriptor_set: folder",
    says:
      /^w\.yaml:6:5: Cannot read the descriptor set "folder": it is a directory; name a file in it$/m,
  },
  ...["empty.binpb", "garbage.binpb"].map((file) => ({
    what: `a descriptor set that is none: ${file}`,
    schema: `descriptor_set: ${file}`,
    says: new RegExp(
      `^w\\.yaml:6:5: Cannot use "${file}": it is not a descriptor set; make one`,
    ),
  })),
  {
    what: "a directory as the input",
    args: ["--input", "@folder"],
    says: /^error: Cannot read "folder" for --input: it is a directory; name a file in it$/m,
  },
  {
    what: "an input that is empty",
    args: ["--input", "@empty.json"],
    says: /^error: Cannot use empty\.json as the input: it is empty/,
  },
  {
    what: "5 MB of input that does not fit",
    args: ["--input", "@big.json"],
    says: /^error: input\.sku must [^\n]{0,200}\n$/,
  },
];

for (const { what, schema, step = "", args, says } of REFUSALS) {
  Deno.test(`${what} ends with 2, its place and what to do, and nothing is called`, async () => {
    const { code, stdout, stderr, calls } = await run(
      HEAD + (schema === undefined ? "" : `    ${schema}\n`) + FIRST + step,
      args,
    );
    assert.equal(code, 2, stderr);
    assert.deepEqual(calls, []);
    assert.match(stderr, says);
    const { problems } = JSON.parse(stdout);
    const [first] = problems;
    assert.equal(first.severity, "error");
    const place = first.line === null ? "error: " : `${first.file}:${first.line}:${first.column}: `;
    assert.ok(stderr.startsWith(`${place}${steady(first.message)}\n`), stderr);
  });
}

/** What only the run itself can find: the request is never sent. */
const UNSENDABLE: readonly (readonly [what: string, input: string, code: string, says: RegExp])[] =
  [
    [
      "a field that the message lacks",
      "{ a_strin: x }",
      "INVALID_REQUEST",
      /^input\.a_strin: .*Everything has no field "a_strin"; did you mean "a_string"\?/,
    ],
    [
      "a field that a message in a list lacks",
      "{ prices: [{}, { unit: 3 }] }",
      "INVALID_REQUEST",
      /^input\.prices\[1\]\.unit: .*acme\.Money has no field "unit"; did you mean "units"\?/,
    ],
    [
      "a value of the wrong type",
      "{ an_int32: many }",
      "INVALID_REQUEST",
      /^input\.an_int32: .*"many"/,
    ],
    [
      "a number that does not fit",
      "{ an_int32: 3000000000 }",
      "INVALID_REQUEST",
      /^input\.an_int32: 3000000000 does not fit an int32 \(-2147483648 to 2147483647\)$/,
    ],
    ["null for a scalar", "{ an_int32: null }", "INVALID_REQUEST", /^input\.an_int32: .*null/],
    [
      "an enum's value that there is not",
      "{ color: COLOR_RAD }",
      "INVALID_REQUEST",
      /^input\.color: .*"COLOR_RAD"; did you mean "COLOR_RED"\?/,
    ],
    [
      "two members of one oneof",
      "{ card: x, points: 3 }",
      "INVALID_REQUEST",
      /^input\.points: .*"payment".*"card"/,
    ],
    [
      "a field that an answer lacks",
      '{ a_string: "{{ .first.order_idd }}" }',
      "EXPRESSION_ERROR",
      /\{\{ \.first\.order_idd \}\}: .*"order_idd".*order_id/,
    ],
    [
      "a field that the input lacks",
      '{ a_string: "{{ .input.naem }}" }',
      "EXPRESSION_ERROR",
      /\{\{ \.input\.naem \}\}: .*"naem".*sku/,
    ],
  ];

for (const [what, input, expected, says] of UNSENDABLE) {
  Deno.test(`a request with ${what} is not sent, and what was done is undone`, async () => {
    const schema = `    proto: [${PROTOS}/acme/shop.proto]\n    import_paths: [${PROTOS}]\n`;
    const { code, stdout, stderr, calls } = await run(
      HEAD + schema + FIRST + call("Echo", input),
      ["--set", "sku=a"],
    );
    assert.equal(code, 1, stderr);
    assert.deepEqual(calls.map(({ method }) => method.replace(/.*\//, "")), ["Buy", "Refund"]);
    const { status, error } = JSON.parse(stdout);
    assert.equal(status, "compensated");
    assert.deepEqual([error.step, error.code, error.outcome, error.attempts], [
      "second",
      expected,
      "not_sent",
      0,
    ]);
    assert.match(error.message, says);
    // Where the second step begins, and what can be done without changing the file.
    const remedy = input.includes(".input.") ? "; give it with --set naem=… or --input" : "";
    const said = `✗ Step "second" failed: ${expected} (w.yaml:13:5)\n  ${error.message}${remedy}\n`;
    assert.ok(stderr.includes(said), stderr);
  });
}
