import assert from "node:assert/strict";
import { celUint } from "@bufbuild/cel";
import { create } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { MaestroError } from "../../src/errors.ts";
import { encodeMessage } from "../../src/grpc/encode.ts";
import { encodeRequest } from "../../src/grpc/request.ts";
import { protoSchema } from "../../src/grpc/schema_proto.ts";
import { messageValue } from "../../src/workflow/message.ts";
import type { Value } from "../../src/workflow/value.ts";
import { shopSchema } from "../support/grpc_server.ts";
import { tempFiles } from "../support/temp_files.ts";

/** A request, and the message of the error that it must give. */
const MISFITS: readonly (readonly [value: Value, message: string])[] = [
  [
    "x",
    'the request: Cannot use "x" as the message acme.shop.v1.Everything, which takes an object',
  ],
  [
    null,
    "the request: Cannot use null as the message acme.shop.v1.Everything, which takes an object",
  ],
  [
    { a_strong: "x" },
    'a_strong: The message acme.shop.v1.Everything has no field "a_strong"; did you mean "a_string"?',
  ],
  [
    { price: { amount: 1 } },
    'price.amount: The message acme.Money has no field "amount"; it has currency, units, nanos',
  ],
  [
    { inner: { prices: [{}, { units: 1.5 }] } },
    "inner.prices[1].units: Cannot use 1.5 as a whole number (int64)",
  ],
  [
    { by_number: { "3": { nanos: "x" } } },
    'by_number["3"].nanos: Cannot use "x" as a whole number (int32)',
  ],
  [{ by_number: { x: {} } }, 'by_number["x"]: Cannot use "x" as a whole number (int32)'],
  [{ by_bool: { yes: "x" } }, 'by_bool["yes"]: Cannot use "yes" as true or false'],
  [
    { an_int32: 2147483648 },
    "an_int32: 2147483648 does not fit an int32 (-2147483648 to 2147483647)",
  ],
  [{ a_uint32: -1 }, "a_uint32: -1 does not fit a uint32 (0 to 4294967295)"],
  [{ a_uint32: "4294967296" }, 'a_uint32: "4294967296" does not fit a uint32 (0 to 4294967295)'],
  [{ a_uint64: -1n }, "a_uint64: -1 does not fit a uint64 (0 to 18446744073709551615)"],
  [
    { an_int64: "9223372036854775808" },
    'an_int64: "9223372036854775808" does not fit an int64 (-9223372036854775808 to 9223372036854775807)',
  ],
  [
    { an_int64: "1".repeat(30) },
    `an_int64: "${
      "1".repeat(30)
    }" does not fit an int64 (-9223372036854775808 to 9223372036854775807)`,
  ],
  [{ an_int32: 1.5 }, "an_int32: Cannot use 1.5 as a whole number (int32)"],
  [{ a_float: 1e39 }, "a_float: Cannot use 1e+39 as a number (float)"],
  [{ a_double: "1,5" }, 'a_double: Cannot use "1,5" as a number (double)'],
  [{ a_bool: "true" }, 'a_bool: Cannot use "true" as true or false'],
  [{ a_string: 5 }, "a_string: Cannot use 5 as a string"],
  [{ some_bytes: "%%" }, 'some_bytes: Cannot use "%%" as bytes (base64)'],
  [{ a_string: null }, "a_string: Cannot use null here: leave the field out for its default"],
  [{ color: null }, "color: Cannot use null here: leave the field out for its default"],
  [{ numbers: null }, "numbers: Cannot use null as a list"],
  [{ numbers: [1, null] }, "numbers[1]: Cannot use null as a whole number (int64)"],
  [
    { prices: [null] },
    "prices[0]: Cannot use null as the message acme.Money, which takes an object",
  ],
  [{ numbers: { a: 1 } }, "numbers: Cannot use an object as a list"],
  [{ counts: [1] }, "counts: Cannot use a list as a map"],
  [{ price: [1] }, "price: Cannot use a list as the message acme.Money, which takes an object"],
  [
    { color: "COLOR_REED" },
    'color: The enum acme.shop.v1.Color has no value "COLOR_REED"; did you mean "COLOR_RED"?',
  ],
  [
    { colors: ["MAGENTA"] },
    'colors[0]: The enum acme.shop.v1.Color has no value "MAGENTA"; it has COLOR_UNSPECIFIED, COLOR_RED, COLOR_GREEN',
  ],
  [{ color: 1.5 }, "color: Cannot use 1.5 as a value of the enum acme.shop.v1.Color"],
  [{ card: "x", points: 1 }, 'points: Only one of "payment" can be set, and "card" is set too'],
  [{ a_string: "x", aString: "y" }, 'aString: The same field is also given as "a_string"'],
  [
    { at: "yesterday" },
    'at: Cannot use "yesterday" as a time (Timestamp), such as "2026-01-31T12:00:00Z"',
  ],
  [{ times: [5] }, 'times[0]: Cannot use 5 as a time (Timestamp), such as "2026-01-31T12:00:00Z"'],
  [{ lasts: "5m" }, 'lasts: Cannot use "5m" as a duration (Duration) in seconds, such as "1.5s"'],
  [{ extra: [1] }, "extra: Cannot use a list as an object (Struct)"],
  [{ maybe_number: "x" }, 'maybe_number: Cannot use "x" as a whole number (int64)'],
  [
    { any: { units: 1 } },
    'any: Cannot use an object as an Any: it takes an object with an "@type"',
  ],
  [
    { any: { "@type": "type.googleapis.com/acme.Coin", value: 1 } },
    'any.@type: The service\'s schema has no message "type.googleapis.com/acme.Coin"',
  ],
  [
    { any: { "@type": "type.googleapis.com/acme.Money", units: "x" } },
    'any.units: Cannot use "x" as a whole number (int64)',
  ],
];

Deno.test("encodeMessage() names the path of what does not fit", async () => {
  const { registry } = await shopSchema();
  const desc = registry.getMessage("acme.shop.v1.Everything");
  assert(desc !== undefined);
  for (const [value, message] of MISFITS) {
    assert.throws(() => encodeMessage(desc, value, registry), (error) => {
      assert(error instanceof MaestroError);
      assert.equal(error.message, message);
      assert.equal(error.code, "INVALID_REQUEST");
      return true;
    });
  }
});

Deno.test("encodeMessage() takes what expressions yield: uints, times, null for a message", async () => {
  const { registry } = await shopSchema();
  const desc = registry.getMessage("acme.shop.v1.Everything");
  assert(desc !== undefined);
  const time = reflect(TimestampSchema, create(TimestampSchema, { seconds: 5n }));
  const message = encodeMessage(desc, {
    a_uint64: celUint(18446744073709551615n),
    a_uint32: celUint(5n),
    a_double: celUint(5n),
    at: time,
    times: [time],
    price: null,
    // Objects of JSON.parse and of libraries may have no prototype.
    counts: Object.assign(Object.create(null), { a: 1 }),
  }, registry);
  const fields = reflect(desc, message);
  assert.equal(fields.get(desc.field.aUint64 ?? assert.fail()), 18446744073709551615n);
  assert.equal(fields.get(desc.field.aDouble ?? assert.fail()), 5);
  assert.equal(fields.isSet(desc.field.at ?? assert.fail()), true);
  assert.equal(fields.isSet(desc.field.price ?? assert.fail()), false);
});

Deno.test("encodeMessage() hands on an Any of unknown type, byte for byte", async () => {
  const { registry } = await shopSchema();
  const desc = registry.getMessage("google.protobuf.Any");
  assert(desc !== undefined);
  const unknown = { "@type": "type.googleapis.com/acme.Coin", value: "AP8=" };
  assert.deepEqual(
    encodeMessage(desc, unknown, registry),
    create(desc, {
      typeUrl: "type.googleapis.com/acme.Coin",
      value: new Uint8Array([0, 255]),
      // The descriptor is dynamic, and so is the type of its fields.
    } as never),
  );
});

Deno.test("encodeMessage() reads a message of another copy of its type by the numbers of its fields", async () => {
  await using files = await tempFiles({
    "money.proto": `syntax = "proto3"; package acme;
      message Money { string symbol = 1; int64 amount = 2; bool extra = 9; }`,
  });
  const { schema: { registry: old } } = await protoSchema([files.path("money.proto")], []);
  const { registry } = await shopSchema();
  const theirs = old.getMessage("acme.Money") ?? assert.fail();
  const ours = registry.getMessage("acme.Money") ?? assert.fail();
  const sent = encodeMessage(theirs, { symbol: "EUR", amount: 5n, extra: true }, old);
  const read = encodeMessage(ours, messageValue(theirs, sent, old), registry);
  const fields = reflect(ours, read);
  assert.equal(fields.get(ours.field.currency ?? assert.fail()), "EUR");
  assert.equal(fields.get(ours.field.units ?? assert.fail()), 5n);
  // What this copy does not know is kept, and sent on.
  assert.equal(fields.getUnknown()?.length, 1);
});

Deno.test("encodeRequest() refuses a request over max_message_size", async () => {
  const { services, registry } = await shopSchema();
  const method = services[0]?.method.buy;
  assert(method !== undefined);
  const service = { name: "shop", maxMessageSize: 1024 };
  assert.throws(() => encodeRequest(method, registry, service, { sku: "x".repeat(2000) }), {
    code: "INVALID_REQUEST",
    message:
      'Cannot send a acme.shop.v1.BuyRequest of 2003 bytes: the "max_message_size" of "shop" is 1KiB',
  });
});
