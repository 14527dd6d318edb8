import { deepEqual, equal, throws } from "node:assert/strict";
import { isCelUint } from "@bufbuild/cel";
import { create, createRegistry, toBinary } from "@bufbuild/protobuf";
import { AnySchema, StringValueSchema, StructSchema } from "@bufbuild/protobuf/wkt";
import { evaluateTemplate } from "../../src/workflow/expression.ts";
import { messageValue } from "../../src/workflow/message.ts";
import { toJson, type Value } from "../../src/workflow/value.ts";
import { Address, rawUser, registry, User, user } from "../support/sample_message.ts";

const full = user({
  user_id: "9007199254740993",
  email: "a@b.c",
  age: 7,
  score: 1.5,
  avatar: "AQI=",
  tier: "GOLD",
  nick_name: "",
  address: { city: "Bern" },
  tags: ["x", "y"],
  homes: [{ city: "Ulm" }, {}],
  labels: { a: "1" },
  prices: { 3: { city: "Graz" } },
  created: "2026-01-31T09:30:00.5Z",
  ttl: "1.5s",
  extra: { deep: [1, null, { yes: true }] },
  free: null,
  limit: "5",
  detail: { "@type": "type.googleapis.com/acme.Address", city: "Rom" },
  fax: "1",
  tiers: ["GOLD", 9],
  big: "18446744073709551615",
  active: true,
  list: [1, "a"],
});
const empty = user();

function evaluate(expression: string, more: Readonly<Record<string, Value>> = {}): Value {
  return evaluateTemplate(`{{ ${expression} }}`, { full, empty, ...more });
}

Deno.test("a message's fields are CEL values by their proto names", () => {
  const table: Readonly<Record<string, Value>> = {
    ".full.user_id": 9007199254740993n,
    ".full.email": "a@b.c",
    ".full.score": 1.5,
    ".full.tier": "GOLD",
    ".full.nick_name": "",
    ".full.address.city": "Bern",
    ".full.tags[1]": "y",
    ".full.homes[0].city": "Ulm",
    ".full.homes.map(home, home.city)": ["Ulm", ""],
    ".full.labels.a": "1",
    ".full.labels": { a: "1" },
    ".full.prices[3].city": "Graz",
    "3 in .full.prices && 3.0 in .full.prices && !(4 in .full.prices)": true,
    ".full.prices.map(key, key)": [3n],
    ".full.extra.deep[2].yes": true,
    ".full.extra.deep[1] == null": true,
    ".full.free": null,
    ".full.limit": 5n,
    ".full.limit + 1": 6n,
    ".full.detail.city": "Rom",
    ".full.detail['@type']": "type.googleapis.com/acme.Address",
    ".full.fax": "1",
    ".full.tiers": ["GOLD", 9n],
    ".full.active": true,
    ".full.none": null,
    ".full.list": [1, "a"],
    "string(.full.created)": "2026-01-31T09:30:00.500Z",
    ".full.created.getFullYear()": 2026n,
    ".full.created > timestamp('2026-01-01T00:00:00Z')": true,
    "string(.full.ttl)": "1.500s",
    "string(.full.big)": "18446744073709551615",
    "type(.full.age) == uint && type(.full.user_id) == int && type(.full.avatar) == bytes": true,
    "size(.full.tags) + size(.full.labels) + size(.full.avatar)": 5n,
    "'y' in .full.tags": true,
  };
  for (const [expression, value] of Object.entries(table)) {
    deepEqual(evaluate(expression), value, expression);
  }
  deepEqual(evaluate(".full.avatar"), Uint8Array.of(1, 2));
  equal(isCelUint(evaluate(".full.age")), true);
});

Deno.test("a field without presence always exists, with its default", () => {
  const table: Readonly<Record<string, Value>> = {
    ".empty.user_id": 0n,
    ".empty.email": "",
    ".empty.score": 0,
    ".empty.tier": "FREE",
    ".empty.tags": [],
    ".empty.labels": {},
    ".empty.active": false,
    "has(.empty.email) && has(.empty.tags) && has(.empty.prices) && has(.empty.tier)": true,
    "default(.empty.email, 'x')": "",
    "default(.empty.user_id, 7)": 0n,
  };
  for (const [expression, value] of Object.entries(table)) {
    deepEqual(evaluate(expression), value, expression);
  }
});

Deno.test("a field with presence that is not set is missing", () => {
  const fields = "nick_name address created ttl extra free limit detail phone fax list".split(" ");
  for (const name of fields) {
    equal(evaluate(`has(.empty.${name})`), false, name);
    equal(evaluate(`default(.empty.${name}, 'none')`), "none", name);
    throws(() => evaluate(`.empty.${name}`), {
      code: "EXPRESSION_ERROR",
      message: `Cannot evaluate {{ .empty.${name} }}: the field "${name}" of .empty is not set`,
    });
  }
  equal(evaluate("has(.full.phone)"), false);
  equal(evaluate("has(.full.nick_name)"), true);
  equal(evaluate("default(.empty.address.city, 'none')"), "none");
});

Deno.test("a field that the type does not have is named, with those that it has", () => {
  throws(() => evaluate(".full.address.town"), {
    message:
      'Cannot evaluate {{ .full.address.town }}: there is no field "town" in .full.address (it has: city)',
  });
  throws(() => evaluate(".full.userId"), /there is no field "userId" in .full/);
});

Deno.test("messages compare by their fields, with maps too", () => {
  const table: Readonly<Record<string, boolean>> = {
    ".full == .full": true,
    ".full == .empty": false,
    ".full.homes[0] == .full.address": false,
    ".full.address == .same": true,
    ".full.address == {'city': 'Bern'}": true,
    "{'city': 'Bern'} == .full.address": true,
    ".full.address == {'city': 'Bern', 'zip': 1}": false,
    ".full.detail == .rome": true,
    ".full.address in [.same]": true,
    ".full.address == 'Bern'": false,
    ".full.address == .other_type": false,
  };
  const city = (city: string) =>
    messageValue(Address, create(Address, { city } as never), registry);
  const more = { same: city("Bern"), rome: city("Rom"), other_type: user({ email: "Bern" }) };
  for (const [expression, value] of Object.entries(table)) {
    equal(evaluate(expression, more), value, expression);
  }
});

Deno.test("a message reads like a map: its fields are its keys", () => {
  deepEqual(evaluate(".full.address.map(name, name)"), ["city"]);
  equal(evaluate("'nick_name' in .full && !('nick_name' in .empty)"), true);
  equal(evaluate(".full['email']"), "a@b.c");
  equal(evaluate("string(type(.full) == type(.empty))"), "true");
});

Deno.test("a message that is itself a well-known type is the value that it stands for", () => {
  const text = messageValue(
    StringValueSchema,
    create(StringValueSchema, { value: "hi" }),
    registry,
  );
  const struct = messageValue(
    StructSchema,
    create(StructSchema, { fields: { a: { kind: { case: "numberValue", value: 1 } } } }),
    registry,
  );
  equal(evaluate(".text + '!'", { text }), "hi!");
  deepEqual(evaluate(".struct", { struct }), { a: 1 });
  equal(evaluate(".list[0] == 'hi'", { list: [text] }), true);
});

Deno.test("an Any of an unknown type has its bytes, and JSON shows them", () => {
  const value = rawUser({
    email: "e",
    detail: create(AnySchema, {
      typeUrl: "type.googleapis.com/acme.Secret",
      value: Uint8Array.of(1, 2, 3),
    }),
  });
  equal(evaluate(".value.detail['@type']", { value }), "type.googleapis.com/acme.Secret");
  deepEqual(evaluate(".value.detail.value", { value }), Uint8Array.of(1, 2, 3));
  deepEqual((toJson(value) as { readonly detail: unknown }).detail, {
    "@type": "type.googleapis.com/acme.Secret",
    value: "AQID",
  });
});

Deno.test("an unknown Any inside a known one is shown by its bytes too", () => {
  const inner = create(AnySchema, { typeUrl: "x/acme.Secret", value: Uint8Array.of(9) });
  const middle = create(AnySchema, {
    typeUrl: "x/acme.User",
    value: toBinary(User, rawUser({ detail: inner }).message),
  });
  const { detail } = toJson(rawUser({ detail: middle })) as {
    readonly detail: { readonly detail: unknown };
  };
  deepEqual(detail.detail, { "@type": "x/acme.Secret", value: "CQ==" });
});

Deno.test("toJson() of a message is ProtoJSON with proto field names and defaults", () => {
  const json = toJson(full) as Readonly<Record<string, unknown>>;
  equal(json["user_id"], "9007199254740993");
  equal(json["tier"], "GOLD");
  equal(json["ttl"], "1.500s");
  deepEqual(json["detail"], { "@type": "type.googleapis.com/acme.Address", city: "Rom" });
  const defaults = toJson(empty) as Readonly<Record<string, unknown>>;
  deepEqual([defaults["email"], defaults["tags"], defaults["address"]], ["", [], undefined]);
});

Deno.test("toJson() never fails: what JSON has no form for is shown by its bytes", () => {
  const late = rawUser({
    created: { $typeName: "google.protobuf.Timestamp", seconds: 10n ** 15n, nanos: 0 },
  });
  const { "@type": type } = toJson(late) as { readonly "@type": unknown };
  equal(type, "type.googleapis.com/acme.User");
  equal(typeof toJson(messageValue(User, user().message, createRegistry())), "object");
});
