import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { create, type DescMessage, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import {
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  HelpSchema,
  LocalizedMessageSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from "../../src/gen/google/rpc/error_details_pb.ts";
import { readPushback } from "../../src/grpc/pushback.ts";
import { failureOfStatus } from "../../src/grpc/status.ts";
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

const RPC = "type.googleapis.com/google.rpc.";

/** Every type of `google/rpc/error_details.proto`: as it is given, and as expressions see it. */
const DETAILS: readonly (readonly [DescMessage, given: JsonValue, seen: JsonValue])[] = [
  [
    ErrorInfoSchema,
    { reason: "CARD_DECLINED", domain: "acme.com", metadata: { card: "1" } },
    { reason: "CARD_DECLINED", domain: "acme.com", metadata: { card: "1" } },
  ],
  [RetryInfoSchema, { retryDelay: "5s" }, { retry_delay: "5s" }],
  [
    BadRequestSchema,
    { fieldViolations: [{ field: "items[0].sku", description: "must not be empty" }] },
    {
      field_violations: [
        { field: "items[0].sku", description: "must not be empty", reason: "" },
      ],
    },
  ],
  [
    PreconditionFailureSchema,
    { violations: [{ type: "TOS", subject: "acme.com", description: "Not accepted" }] },
    { violations: [{ type: "TOS", subject: "acme.com", description: "Not accepted" }] },
  ],
  [
    QuotaFailureSchema,
    { violations: [{ subject: "project:1", description: "Daily limit", quotaValue: "10" }] },
    {
      violations: [{
        subject: "project:1",
        description: "Daily limit",
        api_service: "",
        quota_metric: "",
        quota_id: "",
        quota_dimensions: {},
        quota_value: "10",
      }],
    },
  ],
  [
    HelpSchema,
    { links: [{ description: "Limits", url: "https://acme.com/limits" }] },
    { links: [{ description: "Limits", url: "https://acme.com/limits" }] },
  ],
  [
    LocalizedMessageSchema,
    { locale: "de", message: "Karte abgelehnt" },
    { locale: "de", message: "Karte abgelehnt" },
  ],
  [
    DebugInfoSchema,
    { stackEntries: ["at a"], detail: "boom" },
    { stack_entries: ["at a"], detail: "boom" },
  ],
  [
    RequestInfoSchema,
    { requestId: "r1", servingData: "s" },
    { request_id: "r1", serving_data: "s" },
  ],
  [
    ResourceInfoSchema,
    { resourceType: "acme.Order", resourceName: "orders/1", owner: "me", description: "gone" },
    { resource_type: "acme.Order", resource_name: "orders/1", owner: "me", description: "gone" },
  ],
];

Deno.test("call() reads every detail of google.rpc, and those after one that is garbage", async () => {
  const sent = DETAILS.map(([desc, given]) => ({
    typeUrl: `type.googleapis.com/${desc.typeName}`,
    value: toBinary(desc, fromJson(desc, given)),
  }));
  const cut = new Uint8Array([0x0a, 0xff]);
  const garbage = { typeUrl: `${RPC}ErrorInfo`, value: cut };
  const wrong = { typeUrl: `${RPC}RetryInfo`, value: cut };
  const coin = { typeUrl: "type.googleapis.com/acme.Coin", value: new Uint8Array([8, 1]) };
  const { details, reason, retryDelay } = await failureFrom(
    status(9, "no", { anys: [garbage, wrong, coin, ...sent] }),
  );
  assert.deepEqual(details, [
    { "@type": `${RPC}ErrorInfo`, value: "Cv8=" },
    { "@type": `${RPC}RetryInfo`, value: "Cv8=" },
    { "@type": "type.googleapis.com/acme.Coin", value: "CAE=" },
    ...DETAILS.map(([{ typeName }, , seen]) => ({
      "@type": `type.googleapis.com/${typeName}`,
      ...seen as object,
    })),
  ]);
  assert.deepEqual([reason, retryDelay], ["CARD_DECLINED", 5_000]);
});

Deno.test("call() reads a detail whose inner Any is of unknown type", async () => {
  const { registry } = await shopSchema();
  const everything = registry.getMessage("acme.shop.v1.Everything") ?? assert.fail();
  const inner = create(AnySchema, { typeUrl: "acme.com/acme.Coin", value: new Uint8Array([1]) });
  const message = create(everything, { any: inner, note: "kept" });
  const typeUrl = "type.googleapis.com/acme.shop.v1.Everything";
  const { details: [detail] = [] } = await failureFrom(
    status(9, "no", { anys: [{ typeUrl, value: toBinary(everything, message) }] }),
  );
  const { any, note, "@type": type } = detail as Record<string, JsonValue>; // as ProtoJSON has it
  assert.deepEqual([type, note, any], [
    typeUrl,
    "kept",
    { "@type": "acme.com/acme.Coin", value: "AQ==" },
  ]);
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

Deno.test("failureOfStatus() takes a server's cancellation after the deadline for the deadline", async () => {
  const { registry } = await shopSchema();
  const where = {
    service: "shop",
    endpoint: "shop:1",
    tls: false,
    timeout: 2_000,
    maxMessageSize: 4 << 20,
  };
  const ended = { code: 1, details: "Call cancelled", metadata: new Metadata() };
  const end = {
    where,
    peer: "10.0.0.1:1",
    target: "dns:shop:1",
    connected: true,
    hasHeaders: true,
    messages: 2,
    registry,
  };
  const { code, message, outcome } = failureOfStatus(ended, { ...end, late: true });
  assert.deepEqual([code, message, outcome], [
    "DEADLINE_EXCEEDED",
    '"shop" at shop:1 sent 2 messages, but did not end the call within 2s',
    "unknown",
  ]);
  assert.equal(failureOfStatus(ended, { ...end, late: false }).code, "CANCELLED");
});
