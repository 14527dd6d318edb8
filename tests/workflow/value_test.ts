import { deepEqual, equal, throws } from "node:assert/strict";
import { celUint } from "@bufbuild/cel";
import { create, createRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { AnySchema, DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { Json } from "../../src/workflow/json.ts";
import { MessageValue, messageValue } from "../../src/workflow/message.ts";
import { tag, toJson, toText, untag, type Value } from "../../src/workflow/value.ts";
import { rawUser, registry, User, user } from "../support/sample_message.ts";

const time = (seconds: bigint, nanos = 0): Value =>
  reflect(TimestampSchema, create(TimestampSchema, { seconds, nanos }));
const duration = (seconds: bigint, nanos = 0): Value =>
  reflect(DurationSchema, create(DurationSchema, { seconds, nanos }));
const bare = (fields: Readonly<Record<string, Value>>): Value =>
  Object.assign(Object.create(null), fields);

Deno.test("toJson() says what JSON can of every kind of value", () => {
  const table: readonly (readonly [Value, Json])[] = [
    [null, null],
    [true, true],
    [1.5, 1.5],
    [NaN, "NaN"],
    [-Infinity, "-Infinity"],
    [2n ** 53n - 1n, 9007199254740991],
    [2n ** 53n, "9007199254740992"],
    [-(2n ** 53n), "-9007199254740992"],
    [celUint(7n), 7],
    [celUint(2n ** 64n - 1n), "18446744073709551615"],
    [Uint8Array.of(1, 2), "AQI="],
    [time(0n), "1970-01-01T00:00:00Z"],
    [duration(1n, 500_000_000), "1.500s"],
    [[1n, [null]], [1, [null]]],
    [bare({ a: bare({ b: 1n }) }), { a: { b: 1 } }],
    [{ a: undefined as unknown as Value, b: 1 }, { b: 1 }],
  ];
  for (const [value, json] of table) deepEqual(toJson(value), json);
  equal(JSON.stringify(toJson(JSON.parse('{"__proto__":1}'))), '{"__proto__":1}');
});

Deno.test("toText() is what stands inside other text", () => {
  const table: readonly (readonly [Value, string])[] = [
    ["a", "a"],
    [true, "true"],
    [3, "3"],
    [1.5, "1.5"],
    [1e21, "1e+21"],
    [2n ** 63n - 1n, "9223372036854775807"],
    [celUint(2n ** 64n - 1n), "18446744073709551615"],
    [[1, "a", null], '[1,"a",null]'],
    [{ a: 1n }, '{"a":1}'],
    [time(0n), "1970-01-01T00:00:00Z"],
    [duration(90n), "90s"],
  ];
  for (const [value, text] of table) equal(toText(value), text);
  equal(JSON.parse(toText(user({ email: "e" }))).email, "e");
  for (const value of [null, NaN, Uint8Array.of(1)]) {
    throws(() => toText(value), { code: "EXPRESSION_ERROR" });
  }
});

Deno.test("tag() keeps JSON as it is, and tags only what JSON can't carry", () => {
  const plain = { a: [1, 1.5, "x", null, true, { b: {} }] };
  deepEqual(tag(plain), plain);
  const table: readonly (readonly [Value, Json])[] = [
    [5n, { $int: "5" }],
    [celUint(5n), { $uint: "5" }],
    [NaN, { $double: "NaN" }],
    [-0, { $double: "-0" }],
    [Infinity, { $double: "Infinity" }],
    [Uint8Array.of(1), { $bytes: "AQ==" }],
    [time(0n, 5), { $time: "1970-01-01T00:00:00.000000005Z" }],
    [duration(-1n), { $duration: "-1s" }],
    [{ $int: "5" }, { $map: { $int: "5" } }],
    [{ $a: 1, b: { $map: {} } }, { $map: { $a: 1, b: { $map: { $map: {} } } } }],
    [user({ email: "e", user_id: "5" }), {
      $message: "acme.User",
      json: { user_id: "5", email: "e" },
    }],
  ];
  for (const [value, json] of table) deepEqual(tag(value), json);
});

const types = (name: string) => registry.getMessage(name);
const roundTrip = (value: Value) => untag(JSON.parse(JSON.stringify(tag(value))), types, registry);

Deno.test("untag() brings messages back with all that JSON would lose", () => {
  const unknownField = fromBinary(User, Uint8Array.of(0xa8, 0x3f, 1)); // field 1013 is not in the type
  const table: Readonly<Record<string, MessageValue>> = {
    json: user({ user_id: "5", nick_name: "", detail: { "@type": "x/acme.Address", city: "Rom" } }),
    "unknown field": messageValue(User, unknownField, registry),
    "unknown Any": rawUser({
      detail: create(AnySchema, { typeUrl: "x/acme.Secret", value: Uint8Array.of(9) }),
    }),
    "minus zero": rawUser({ score: -0 }),
    "NaN": rawUser({ score: NaN }),
    "time out of range": rawUser({
      created: create(TimestampSchema, { seconds: 10n ** 15n }),
    }),
    "unknown enum": rawUser({ tier: 9 }),
  };
  for (const [name, message] of Object.entries(table)) {
    const back = roundTrip(message);
    if (!(back instanceof MessageValue)) throw new Error(`${name} is no message`);
    equal(back.desc, User);
    deepEqual(toBinary(User, back.message), toBinary(User, message.message), name);
  }
});

Deno.test("untag() says which type it misses, and what it does not know", () => {
  const none = () => undefined;
  throws(() => untag({ $message: "acme.Gone", json: {} }, none), {
    code: "STORE_FAILED",
    message: "Cannot read a message acme.Gone: its schema is not at hand",
  });
  throws(() => untag({ $later: "x" }, none), { message: 'Cannot read a value tagged "$later"' });
  throws(() => untag({ $message: "acme.User", json: { nope: 1 } }, types), {
    code: "STORE_FAILED",
  });
});

Deno.test("untag() finds the types of an Any by the same function where it is given no registry", () => {
  const value = user({ detail: { "@type": "x/acme.Address", city: "Rom" } });
  const back = untag(tag(value), types);
  deepEqual(toJson(back), toJson(value));
});

Deno.test("tag() and untag() are a round trip for any value", () => {
  const random = seeded(7);
  for (let round = 0; round < 2000; round++) {
    const value = anyValue(random, 4);
    deepEqual(roundTrip(value), value);
  }
});

Deno.test("a time out of RFC 3339's range survives the round trip", () => {
  for (const value of [time(10n ** 15n), duration(10n ** 15n)]) {
    deepEqual(untag(tag(value), () => undefined, createRegistry()), value);
  }
});

/** Numbers from 0 up to 1: Lehmer's generator, so that a failure can be repeated. */
function seeded(seed: number): () => number {
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const KEYS = ["a", "$a", "$int", "$map", "__proto__", "constructor", "", "$", "é", "json"];
const NUMBERS = [0, -0, 1, -1.5, NaN, Infinity, -Infinity, 1e308, 5e-324, 2 ** 53];

function anyValue(random: () => number, depth: number): Value {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const many = () => Array.from({ length: Math.floor(random() * 4) });
  const big = () => BigInt(Math.floor(random() * 2 ** 53)) * BigInt(pick([1, 1000]));
  const made: readonly (() => Value)[] = [
    () => null,
    () => random() < 0.5,
    () => pick(NUMBERS),
    () => pick(["", "a", "$int", "\u0000", "😀", "{{ x }}"]),
    () => big() * pick([1n, -1n]),
    () => celUint(big()),
    () => Uint8Array.from(many(), () => Math.floor(random() * 256)),
    () => time(BigInt(Math.floor(random() * 1e9)), Math.floor(random() * 1e9)),
    () => duration(BigInt(Math.floor(random() * 1e6)), Math.floor(random() * 1e9)),
    () => many().map(() => anyValue(random, depth - 1)),
    () => Object.fromEntries(many().map(() => [pick(KEYS), anyValue(random, depth - 1)])),
    () => Object.fromEntries(many().map(() => [pick(KEYS), anyValue(random, depth - 1)])),
  ];
  return pick(depth > 0 ? made : made.slice(0, 9))();
}
