// The streaming methods of the example services, in every language alike.

import assert from "node:assert/strict";
import type { DescMessage } from "@bufbuild/protobuf";
import { Inventory } from "../../examples/services/deno/gen/inventory/v1/inventory_pb.ts";
import { Ledger } from "../../examples/services/deno/gen/ledger/v1/ledger_pb.ts";
import {
  ChargeStatus,
  Payments,
} from "../../examples/services/deno/gen/payments/v1/payments_pb.ts";
import { startProxy } from "../support/raw_server.ts";
import { CallError, type Method, type OpenCall, ServicesClient } from "./services_client.ts";
import { type Program, testHosts } from "./services_harness.ts";

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const runId = "run-1";

function amount(minorUnits: bigint, currencyCode = "EUR") {
  return { currencyCode, minorUnits };
}

/** The orders of charges, as they are listed. */
function orders(listed: readonly { charge?: { orderId: string } | undefined }[]): string[] {
  return listed.map(({ charge }) => charge?.orderId ?? "");
}

function failsWith(code: number) {
  return (error: unknown) => error instanceof CallError && error.code === code;
}

/** Waits until as many of the run's streams are open. */
async function streamsOpen(client: ServicesClient, methods: readonly string[]): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { streams } = await client.call(Ledger.method.listStreams, { runId });
    const open = streams.map(({ method }) => method);
    if (open.join() === methods.join()) return;
    assert(Date.now() < deadline, `open are still: ${open}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function charge(client: ServicesClient, orderId: string): Promise<void> {
  await client.call(Payments.method.charge, {
    orderId,
    amount: amount(100n),
    cardToken: "tok_visa",
  });
}

async function reserve(client: ServicesClient, orderId: string, sku: string): Promise<void> {
  await client.call(Inventory.method.reserve, { orderId, items: [{ sku, quantity: 2 }] });
}

function ask<Input extends DescMessage, Output extends DescMessage>(
  client: ServicesClient,
  method: Method<Input, Output>,
  request: Parameters<OpenCall<Input, Output>["send"]>[0],
): OpenCall<Input, Output> {
  const call = client.open(method, { runId });
  call.send(request);
  call.end();
  return call;
}

testHosts(
  "payments",
  "charges are listed by order, also of one status only",
  async ({ client }) => {
    for (const order of ["b", "c", "a"]) await charge(client, order);
    await client.call(Payments.method.refund, { orderId: "b" });
    const all = await ask(client, Payments.method.listCharges, {}).rest();
    assert.deepEqual(orders(all), ["a", "b", "c"]);
    const refunded = { status: ChargeStatus.REFUNDED };
    assert.deepEqual(orders(await ask(client, Payments.method.listCharges, refunded).rest()), [
      "b",
    ]);
  },
);

testHosts("payments", "who follows the charges hears of each that comes or changes", async ({
  client,
}) => {
  await charge(client, "a");
  const following = ask(client, Payments.method.listCharges, { follow: true });
  const next = async () => {
    const { charge } = await following.next() ?? {};
    return `${charge?.orderId} ${ChargeStatus[charge?.status ?? 0]}`;
  };
  assert.equal(await next(), "a CAPTURED");
  await charge(client, "b");
  assert.equal(await next(), "b CAPTURED");
  await client.call(Payments.method.refund, { orderId: "a" });
  assert.equal(await next(), "a REFUNDED");

  await streamsOpen(client, ["payments.v1.Payments/ListCharges"]);
  following.cancel();
  await streamsOpen(client, []);
});

testHosts("payments", "an import charges each order, and tells the totals by currency", async ({
  client,
}) => {
  const cardToken = "tok_visa";
  await client.sendAll(Payments.method.importCharges, [
    { orderId: "a", cardToken, amount: amount(100n) },
    { orderId: "b", cardToken, amount: amount(7n, "CHF") },
    { orderId: "c", cardToken, amount: amount(50n) },
  ], { key: "k" });
  const again = await client.sendForMessage(Payments.method.importCharges, [], { key: "k" });
  assert.equal(again.chargeCount, 3);
  assert.deepEqual(
    again.totals.map(({ currencyCode, minorUnits }) => [currencyCode, minorUnits]),
    [["CHF", 7n], ["EUR", 150n]],
  );
  assert.deepEqual(orders(await ask(client, Payments.method.listCharges, {}).rest()), [
    "a",
    "b",
    "c",
  ]);
  const nothing = client.sendAll(Payments.method.importCharges, []);
  await assert.rejects(nothing, failsWith(INVALID_ARGUMENT));
});

testHosts("payments", "an import that breaks off does nothing", async (program) => {
  await breaksOff(program, "payments", Payments.method.importCharges, {
    orderId: "a",
    cardToken: "tok_visa",
    amount: amount(100n),
  });
  assert.deepEqual(await ask(program.client, Payments.method.listCharges, {}).rest(), []);
});

testHosts("inventory", "deliveries that break off are not taken in", async (program) => {
  await breaksOff(program, "inventory", Inventory.method.restock, {
    deliveryId: "d1",
    item: { sku: "TURNTABLE", quantity: 1 },
  });
  const { client } = program;
  await assert.rejects(
    client.call(Inventory.method.sendBack, { deliveryId: "d1" }),
    failsWith(NOT_FOUND),
  );
});

/** Loses the connection in the middle of a client's stream. */
async function breaksOff<Input extends DescMessage>(
  { client, services }: Program,
  service: string,
  method: Method<Input, DescMessage>,
  request: Parameters<OpenCall<Input, DescMessage>["send"]>[0],
): Promise<void> {
  await using proxy = await startProxy(Number(services.endpoints[service]?.split(":")[1]));
  const other = new ServicesClient(proxy.endpoint);
  try {
    const call = other.open(method, { key: "k", runId });
    call.send(request);
    await streamsOpen(client, [`${method.parent.typeName}/${method.name}`]);
    // Not a cancel: before that, HTTP/2 streams of node end as if all had been sent.
    proxy.cut();
    await assert.rejects(call.next());
    await streamsOpen(client, []);
  } finally {
    other.close();
  }
  assert.deepEqual((await client.call(Ledger.method.list, {})).records, []);
}

testHosts("payments", "each quote is answered before the next is asked for", async ({ client }) => {
  const call = client.open(Payments.method.quote);
  for (const [asked, fee] of [[1000n, 39n], [1n, 26n], [9007199254740993n, 126100789566399n]]) {
    call.send({ amount: amount(asked!) });
    const answer = await call.next();
    assert.deepEqual([answer?.amount?.minorUnits, answer?.fee?.minorUnits], [asked, fee]);
    assert.equal(answer?.fee?.currencyCode, "EUR");
  }
  call.end();
  assert.equal(await call.next(), undefined);

  const refused = client.open(Payments.method.quote);
  refused.send({ amount: amount(1n) });
  refused.send({ amount: amount(0n) });
  assert.ok(await refused.next());
  await assert.rejects(refused.next(), failsWith(INVALID_ARGUMENT));
});

testHosts("inventory", "reservations are listed by order, also of one article only", async ({
  client,
}) => {
  await reserve(client, "b", "MOUSE");
  await reserve(client, "a", "KEYBOARD");
  const list = async (sku: string) => {
    const listed = await ask(client, Inventory.method.listReservations, { sku }).rest();
    return listed.map(({ reservation }) => reservation?.orderId);
  };
  assert.deepEqual(await list(""), ["a", "b"]);
  assert.deepEqual(await list("MOUSE"), ["b"]);
});

testHosts(
  "inventory",
  "who follows the reservations hears of each that comes",
  async ({ client }) => {
    await reserve(client, "a", "MOUSE");
    const following = ask(client, Inventory.method.listReservations, {
      sku: "MOUSE",
      follow: true,
    });
    const next = async () => (await following.next())?.reservation?.orderId;
    assert.equal(await next(), "a");
    await reserve(client, "b", "KEYBOARD");
    await reserve(client, "c", "MOUSE");
    assert.equal(await next(), "c");

    await streamsOpen(client, ["inventory.v1.Inventory/ListReservations"]);
    following.cancel();
    await streamsOpen(client, []);
  },
);

testHosts("inventory", "deliveries add to the stock, and stay while they are set aside", async ({
  client,
}) => {
  const delivery = (deliveryId: string, sku: string, quantity: number) => ({
    deliveryId,
    item: { sku, quantity },
  });
  await client.sendAll(Inventory.method.restock, [
    delivery("d1", "TURNTABLE", 4),
    delivery("d2", "MOUSE", 1),
    delivery("d3", "TURNTABLE", 1),
  ], { key: "k" });
  const again = await client.sendForMessage(Inventory.method.restock, [], { key: "k" });
  assert.equal(again.deliveryCount, 3);
  assert.deepEqual(again.received.map(({ sku, quantity }) => [sku, quantity]), [
    ["MOUSE", 1],
    ["TURNTABLE", 5],
  ]);
  // 3 of old, and 5.
  const items = [{ sku: "TURNTABLE", quantity: 7 }];
  await client.call(Inventory.method.reserve, { orderId: "a", items });
  await client.call(Inventory.method.sendBack, { deliveryId: "d3" });
  await assert.rejects(
    client.call(Inventory.method.sendBack, { deliveryId: "d1" }),
    (error) => error instanceof CallError && error.reason === "OUT_OF_STOCK",
  );
  await client.call(Inventory.method.release, { orderId: "a" });
  await client.call(Inventory.method.sendBack, { deliveryId: "d1" });

  const both = [delivery("d4", "MOUSE", 1), delivery("d5", "SOFA", 1)];
  await assert.rejects(client.sendAll(Inventory.method.restock, both), failsWith(NOT_FOUND));
  await assert.rejects(
    client.call(Inventory.method.sendBack, { deliveryId: "d4" }),
    failsWith(NOT_FOUND),
  );
});

testHosts("inventory", "each item is checked before the next is asked for", async ({ client }) => {
  const call = client.open(Inventory.method.checkStock);
  for (const [quantity, enough] of [[3, true], [4, false]] as const) {
    call.send({ item: { sku: "TURNTABLE", quantity } });
    const answer = await call.next();
    assert.deepEqual([answer?.item?.quantity, answer?.available, answer?.enough], [
      quantity,
      3,
      enough,
    ]);
  }
  call.send({ item: { sku: "SOFA", quantity: 1 } });
  await assert.rejects(call.next(), failsWith(NOT_FOUND));
});
