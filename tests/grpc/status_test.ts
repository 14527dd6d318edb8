import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Metadata } from "@grpc/grpc-js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../src/grpc/gen/google/rpc/error_details_pb.ts";
import { readPushback } from "../../src/grpc/pushback.ts";
import { callOnce, failureOf, openCaller } from "../support/grpc_call.ts";
import { shopSchema, startServer, status } from "../support/grpc_server.ts";
import { targetAt } from "../support/grpc_target.ts";

async function failureFrom(thrown: Error) {
  await using server = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": () => {
        throw thrown;
      },
    },
  });
  await using caller = openCaller();
  return failureOf(await callOnce(caller, targetAt(server.endpoint), "Shop/Buy"));
}

Deno.test("call() reads google.rpc.Status details", async () => {
  const { registry } = await shopSchema();
  const money = registry.getMessage("acme.Money") ?? assert.fail();
  const failure = await failureFrom(status(9, "card declined", {
    details: [
      [BadRequestSchema, { fieldViolations: [{ field: "sku", description: "unknown" }] }],
      [ErrorInfoSchema, { reason: "CARD_DECLINED", domain: "acme.com", metadata: { card: "1" } }],
      [RetryInfoSchema, { retryDelay: "1.5s" }],
      [money, { units: "9007199254740993" }],
    ],
  }));
  const { details: [badRequest, ...details] = [], ...rest } = failure;
  assert.deepEqual(rest, {
    code: "FAILED_PRECONDITION",
    message: "card declined",
    outcome: "rejected",
    reason: "CARD_DECLINED",
    domain: "acme.com",
    metadata: { card: "1" },
    retryDelay: 1_500,
  });
  assert.equal(
    (badRequest as { "@type": string })["@type"],
    "type.googleapis.com/google.rpc.BadRequest",
  );
  assert.deepEqual(details, [
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "CARD_DECLINED",
      domain: "acme.com",
      metadata: { card: "1" },
    },
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retry_delay: "1.500s" },
    {
      "@type": "type.googleapis.com/acme.Money",
      currency: "",
      units: "9007199254740993",
      nanos: 0,
    },
  ]);
});

Deno.test("call() gives a detail of unknown type as it came", async () => {
  const { registry } = await shopSchema();
  const money = registry.getMessage("acme.Money") ?? assert.fail();
  const unknown = { ...money, typeName: "acme.Coin" };
  const { details } = await failureFrom(
    // Serialised by the descriptor, named by the copy.
    status(9, "no", { details: [[Object.assign(Object.create(money), unknown), {}]] }),
  );
  assert.deepEqual(details, [{ "@type": "type.googleapis.com/acme.Coin", value: "" }]);
});

Deno.test("call() does without details that make no sense", async () => {
  const thrown = status(5, "gone");
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from("garbage"));
  const failure = await failureFrom(Object.assign(thrown, { metadata }));
  assert.deepEqual(failure, { code: "NOT_FOUND", message: "gone", outcome: "rejected" });
});

Deno.test("call() does not believe details that speak of another status", async () => {
  const thrown = status(5, "gone", { details: [[ErrorInfoSchema, { reason: "NOT_HERE" }]] });
  const failure = await failureFrom(Object.assign(thrown, { code: 9 }));
  assert.deepEqual(failure, { code: "FAILED_PRECONDITION", message: "gone", outcome: "rejected" });
});

Deno.test("call() passes the server's pushback on", async () => {
  const failure = await failureFrom(
    status(14, "later", { trailers: { "grpc-retry-pushback-ms": "250" } }),
  );
  assert.equal(failure.pushback, 250);
});

Deno.test("readPushback() takes whole numbers that aren't negative, and stops at the rest", () => {
  const cases: readonly (readonly [readonly string[], number | "stop" | undefined])[] = [
    [[], undefined],
    [["0"], 0],
    [["1500"], 1_500],
    [["-1"], "stop"],
    [["1.5"], "stop"],
    [["1e3"], "stop"],
    [[" 5"], "stop"],
    [[""], "stop"],
    [["soon"], "stop"],
    [["99999999999999999999"], "stop"],
    [["5", "6"], "stop"],
  ];
  for (const [values, expected] of cases) {
    assert.equal(readPushback({ get: () => values }), expected, JSON.stringify(values));
  }
});
