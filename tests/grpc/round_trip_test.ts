import assert from "node:assert/strict";
import { MessageValue } from "../../src/workflow/message.ts";
import type { Value } from "../../src/workflow/value.ts";
import { callOnce, openCaller, outputOf } from "../support/grpc_call.ts";
import { startServer } from "../support/grpc_server.ts";
import { targetAt } from "../support/grpc_target.ts";

/** What is sent under a field, and what comes back under it. */
const FIELDS: readonly (readonly [field: string, sent: Value, back: unknown])[] = [
  ["a_double", 1.5, 1.5],
  ["a_double", "NaN", "NaN"],
  ["a_double", Number.NEGATIVE_INFINITY, "-Infinity"],
  ["a_double", 9n, 9],
  ["a_float", 0.25, 0.25],
  ["an_int32", -2147483648, -2147483648],
  ["an_int32", "5", 5],
  ["an_int32", 5.0, 5],
  ["an_int32", "1e3", 1000],
  ["an_int64", 9007199254740993n, "9007199254740993"],
  ["an_int64", "9007199254740993", "9007199254740993"],
  ["an_int64", -9223372036854775808n, "-9223372036854775808"],
  ["an_int64", 12, "12"],
  ["a_uint32", 4294967295, 4294967295],
  ["a_uint64", "18446744073709551615", "18446744073709551615"],
  ["a_sint32", -5, -5],
  ["a_sint64", -5n, "-5"],
  ["a_fixed32", 7, 7],
  ["a_fixed64", 7n, "7"],
  ["a_sfixed32", -7, -7],
  ["a_sfixed64", -7n, "-7"],
  ["a_bool", true, true],
  ["a_string", "grüße 🎉", "grüße 🎉"],
  ["some_bytes", new Uint8Array([0, 255]), "AP8="],
  ["some_bytes", "AP8=", "AP8="],
  ["some_bytes", "AP8", "AP8="],
  ["color", "COLOR_RED", "COLOR_RED"],
  ["color", 2, "COLOR_GREEN"],
  ["color", 77, 77],
  ["price", { currency: "EUR", units: 3n }, { currency: "EUR", units: "3", nanos: 0 }],
  ["note", "", ""],
  ["card", "4111", "4111"],
  ["points", 9007199254740993n, "9007199254740993"],
  ["numbers", [1, 2n, "3"], ["1", "2", "3"]],
  ["prices", [{}, { nanos: 1 }], [
    { currency: "", units: "0", nanos: 0 },
    { currency: "", units: "0", nanos: 1 },
  ]],
  ["colors", ["COLOR_RED", 0], ["COLOR_RED", "COLOR_UNSPECIFIED"]],
  ["counts", { a: 1, "": 2n }, { a: "1", "": "2" }],
  ["by_number", { "-1": { nanos: 2 } }, { "-1": { currency: "", units: "0", nanos: 2 } }],
  ["by_bool", { true: "yes", false: "no" }, { true: "yes", false: "no" }],
  ["at", "2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123456789Z"],
  ["at", "2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00Z"],
  ["lasts", "1.5s", "1.500s"],
  ["extra", { a: [1, null, { b: "c" }], big: 5n }, { a: [1, null, { b: "c" }], big: 5 }],
  ["value", null, null],
  ["value", [true, "x"], [true, "x"]],
  ["list", [1, "a", null], [1, "a", null]],
  ["mask", "price.currency,aString", "price.currency,aString"],
  ["mask", "some_bytes", "someBytes"],
  ["maybe_number", 9007199254740993n, "9007199254740993"],
  ["maybe_string", "", ""],
  ["maybe_bool", false, false],
  ["nothing", {}, {}],
  ["times", ["2026-01-31T12:00:00Z"], ["2026-01-31T12:00:00Z"]],
  ["renamed", "x", "x"],
  ["money", { a: { nanos: 1 } }, { a: { currency: "", units: "0", nanos: 1 } }],
  [
    "any",
    { "@type": "type.googleapis.com/acme.Money", units: 9007199254740993n },
    {
      "@type": "type.googleapis.com/acme.Money",
      currency: "",
      units: "9007199254740993",
      nanos: 0,
    },
  ],
  [
    "any",
    { "@type": "type.googleapis.com/google.protobuf.Duration", value: "3s" },
    { "@type": "type.googleapis.com/google.protobuf.Duration", value: "3s" },
  ],
  [
    "any",
    { "@type": "google.rpc.ErrorInfo", reason: "R" },
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "R",
      domain: "",
      metadata: {},
    },
  ],
];

/** Echoes what it gets, under either spelling of the names. */
const echo = { "acme.shop.v1.Shop/Echo": (call: { request: unknown }) => call.request as never };

Deno.test("call() carries every type there and back", async () => {
  await using server = await startServer({ scripts: echo });
  await using caller = openCaller();
  for (const [field, sent, back] of FIELDS) {
    const answer = await callOnce(caller, targetAt(server.endpoint), "Echo", { [field]: sent });
    const output = outputOf(answer);
    assert(typeof output === "object" && output !== null && field in output, field);
    assert.deepEqual(Object.entries(output).find(([name]) => name === field)?.[1], back, field);
  }
});

Deno.test("encode() takes either spelling of a field, also the one of json_name", async () => {
  await using server = await startServer({ scripts: echo });
  await using caller = openCaller();
  const method = await caller.method(targetAt(server.endpoint), "Echo");
  const proto = method.encode({ an_int64: 1, renamed: "x", inner: { a_string: "y" } });
  const camel = method.encode({ anInt64: 1, another_name: "x", inner: { aString: "y" } });
  assert.deepEqual(camel.json, proto.json);
});

Deno.test("encode() gives the request as ProtoJSON with proto names and defaults", async () => {
  await using server = await startServer({ scripts: {} });
  await using caller = openCaller();
  const method = await caller.method(targetAt(server.endpoint), "Shop/Buy");
  assert.deepEqual(method.encode({ sku: "a", price: { units: 9007199254740993n } }).json, {
    sku: "a",
    price: { currency: "", units: "9007199254740993", nanos: 0 },
    items: [],
  });
});

Deno.test("call() answers with a message that can be sent on, whole or in parts", async () => {
  await using server = await startServer({ scripts: echo });
  await using caller = openCaller();
  const target = targetAt(server.endpoint);
  const first = await callOnce(caller, target, "Echo", {
    price: { units: 9007199254740993n },
    color: 77,
    note: "",
  });
  assert(first.ok && first.output instanceof MessageValue);
  // Another endpoint's schema has descriptors of its own for the same types.
  await using other = await startServer({ scripts: echo });
  for (const to of [target, targetAt(other.endpoint)]) {
    const whole = await callOnce(caller, to, "Echo", first.output);
    assert.deepEqual(outputOf(whole), outputOf(first));
    const part = await callOnce(caller, to, "Echo", { inner: first.output, any: first.output });
    const output = outputOf(part);
    assert(typeof output === "object" && output !== null && "inner" in output && "any" in output);
    assert.deepEqual(output.inner, outputOf(first));
    assert.deepEqual(output.any, {
      "@type": "type.googleapis.com/acme.shop.v1.Everything",
      ...outputOf(first) as object,
    });
  }
});

Deno.test("types() finds every message of the service's schema by its name", async () => {
  await using server = await startServer({ scripts: {} });
  await using caller = openCaller();
  const method = await caller.method(targetAt(server.endpoint), "Echo");
  assert.equal(method.name, "acme.shop.v1.Shop/Echo");
  assert.equal(method.idempotency, "no_side_effects");
  assert.equal(method.types("acme.Money")?.typeName, "acme.Money");
  assert.equal(method.types("google.rpc.ErrorInfo")?.typeName, "google.rpc.ErrorInfo");
  assert.equal(method.types("acme.Nothing"), undefined);
});
