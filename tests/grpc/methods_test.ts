import assert from "node:assert/strict";
import { findMethod, methodName } from "../../src/grpc/methods.ts";
import { shopSchema } from "../support/grpc_server.ts";

const ALL = "acme.shop.v1.Shop/Echo, acme.shop.v1.Shop/Buy, acme.shop.v1.Shop/Refund, " +
  "acme.shop.v1.Shop/Watch, acme.shop.v1.Shop/Upload, acme.shop.v1.Shop/Talk";
const EVERY = `${ALL}, acme.shop.v1.Wholesale/Buy`;

Deno.test("findMethod() takes a method's name bare, with its service, and in full", async () => {
  const schema = { ...await shopSchema(), origin: "shop.proto" };
  const cases: readonly (readonly [wanted: string, protoService: string | null, found: string])[] =
    [
      ["Echo", null, "acme.shop.v1.Shop/Echo"],
      ["Talk", null, "acme.shop.v1.Shop/Talk"],
      ["Wholesale/Buy", null, "acme.shop.v1.Wholesale/Buy"],
      ["acme.shop.v1.Shop/Buy", null, "acme.shop.v1.Shop/Buy"],
      ["/acme.shop.v1.Shop/Buy", null, "acme.shop.v1.Shop/Buy"],
      ["Buy", "acme.shop.v1.Wholesale", "acme.shop.v1.Wholesale/Buy"],
      ["Buy", "Shop", "acme.shop.v1.Shop/Buy"],
      ["Shop/Buy", "Wholesale", "acme.shop.v1.Shop/Buy"],
    ];
  for (const [wanted, protoService, found] of cases) {
    assert.equal(methodName(findMethod(schema, { name: "shop", protoService }, wanted)), found);
  }
});

Deno.test("findMethod() lists what there is", async () => {
  const schema = { ...await shopSchema(), origin: "shop.proto" };
  const cases:
    readonly (readonly [wanted: string, protoService: string | null, message: string])[] = [
      [
        "Ecko",
        null,
        `Cannot find the method "Ecko" in shop.proto; did you mean "Echo"? It has ${EVERY}`,
      ],
      ["Sell", null, `Cannot find the method "Sell" in shop.proto; it has ${EVERY}`],
      [
        "Sell",
        "Wholesale",
        'Cannot find the method "Sell" in shop.proto; it has acme.shop.v1.Wholesale/Buy',
      ],
      [
        "Shop/Buyy",
        null,
        `Cannot find the method "Shop/Buyy" in shop.proto; did you mean "Shop/Buy"? It has ${ALL}`,
      ],
      [
        "acme.shop.v2.Shop/Buy",
        null,
        'Cannot find the method "acme.shop.v2.Shop/Buy" in shop.proto; ' +
        `did you mean "acme.shop.v1.Shop/Buy"? It has ${EVERY}`,
      ],
      [
        "Buy",
        null,
        'Cannot tell which "Buy" of "shop" is meant: acme.shop.v1.Shop/Buy or ' +
        'acme.shop.v1.Wholesale/Buy; name one in full, or set the service\'s "proto_service"',
      ],
      [
        "Buy",
        "acme.shop.v1.Retail",
        'Cannot find the "proto_service" acme.shop.v1.Retail in shop.proto; ' +
        'did you mean "acme.shop.v1.Shop"? It has acme.shop.v1.Shop, acme.shop.v1.Wholesale',
      ],
    ];
  for (const [wanted, protoService, message] of cases) {
    assert.throws(() => findMethod(schema, { name: "shop", protoService }, wanted), {
      code: "METHOD_NOT_FOUND",
      message,
    });
  }
});
