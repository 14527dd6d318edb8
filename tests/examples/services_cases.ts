/** What is done and undone in the tests of the example services. */

import type {
  DescMessage,
  DescMethodClientStreaming,
  DescMethodUnary,
  MessageInitShape,
} from "@bufbuild/protobuf";
import { Accounts } from "../../examples/services/deno/gen/accounts/v1/accounts_pb.ts";
import { Inventory } from "../../examples/services/deno/gen/inventory/v1/inventory_pb.ts";
import { Mail } from "../../examples/services/deno/gen/mail/v1/mail_pb.ts";
import { Payments } from "../../examples/services/deno/gen/payments/v1/payments_pb.ts";
import { Perk, Rewards } from "../../examples/services/deno/gen/rewards/v1/rewards_pb.ts";
import { Shipping } from "../../examples/services/deno/gen/shipping/v1/shipping_pb.ts";
import type { Keys, ServicesClient } from "./services_client.ts";

/** A call that is ready to be made. */
export interface Call {
  /** As the ledger calls it: "payments.v1.Payments/Charge". */
  readonly method: string;
  make(client: ServicesClient, keys?: Keys): Promise<Uint8Array>;
}

/** An action, its undo, and what else the service has to do with it. */
export interface Case {
  /** The service's name in workflows. */
  readonly service: string;
  readonly action: Call;
  readonly undo: Call;
  /** Tells whether the action happened. */
  readonly verify?: Call;
  /** What has to be there before. */
  readonly before?: Call;
  /** The action in a form that the service refuses, and the reason it gives. */
  readonly refused?: { readonly call: Call; readonly code: number; readonly reason: string };
}

const FAILED_PRECONDITION = 9;

function call<Input extends DescMessage>(
  method: DescMethodUnary<Input>,
  request: MessageInitShape<Input>,
): Call {
  return {
    method: `${method.parent.typeName}/${method.name}`,
    make: (client, keys) => client.callForBytes(method, request, keys),
  };
}

/** A call that sends a stream of messages. */
function stream<Input extends DescMessage>(
  method: DescMethodClientStreaming<Input>,
  requests: readonly MessageInitShape<Input>[],
): Call {
  return {
    method: `${method.parent.typeName}/${method.name}`,
    make: (client, keys) => client.sendAll(method, requests, keys),
  };
}

const account = { accountId: "ada", email: "ada@example.com" };
const order = { orderId: "order-1" };
const charge = { ...order, amount: { currencyCode: "EUR", minorUnits: 9007199254740993n } };
const old = { orderId: "order-0" };
const imported = { ...charge, ...old, cardToken: "tok_visa" };
const delivery = { deliveryId: "d1", item: { sku: "TURNTABLE", quantity: 4 } };
const address = { recipient: "Ada", city: "Berlin", countryCode: "DE" };

export const cases: readonly Case[] = [
  {
    service: "accounts",
    action: call(Accounts.method.createAccount, account),
    undo: call(Accounts.method.deleteAccount, { accountId: "ada" }),
    verify: call(Accounts.method.getAccount, { accountId: "ada" }),
  },
  {
    service: "accounts",
    before: call(Accounts.method.createAccount, account),
    action: call(Accounts.method.createProfile, { accountId: "ada", displayName: "Ada" }),
    undo: call(Accounts.method.deleteProfile, { accountId: "ada" }),
  },
  {
    service: "inventory",
    action: call(Inventory.method.reserve, { ...order, items: [{ sku: "MOUSE", quantity: 2 }] }),
    undo: call(Inventory.method.release, order),
    verify: call(Inventory.method.getReservation, order),
    refused: {
      call: call(Inventory.method.reserve, {
        ...order,
        items: [{ sku: "TURNTABLE", quantity: 4 }],
      }),
      code: FAILED_PRECONDITION,
      reason: "OUT_OF_STOCK",
    },
  },
  {
    service: "inventory",
    action: stream(Inventory.method.restock, [delivery]),
    undo: call(Inventory.method.sendBack, { deliveryId: "d1" }),
  },
  {
    service: "payments",
    action: call(Payments.method.addPaymentMethod, {
      paymentMethodId: "card",
      accountId: "ada",
      cardToken: "tok_visa",
    }),
    undo: call(Payments.method.removePaymentMethod, { paymentMethodId: "card" }),
  },
  {
    service: "payments",
    action: call(Payments.method.charge, { ...charge, cardToken: "tok_mastercard" }),
    undo: call(Payments.method.refund, order),
    verify: call(Payments.method.getCharge, order),
    refused: {
      call: call(Payments.method.charge, { ...charge, cardToken: "tok_declined" }),
      code: FAILED_PRECONDITION,
      reason: "CARD_DECLINED",
    },
  },
  {
    service: "payments",
    action: stream(Payments.method.importCharges, [imported]),
    undo: call(Payments.method.refund, old),
    verify: call(Payments.method.getCharge, old),
    refused: {
      // All or none: the first one would do.
      call: stream(Payments.method.importCharges, [
        imported,
        { ...imported, orderId: "order-2", cardToken: "tok_declined" },
      ]),
      code: FAILED_PRECONDITION,
      reason: "CARD_DECLINED",
    },
  },
  {
    service: "shipping",
    action: call(Shipping.method.ship, { ...order, address }),
    undo: call(Shipping.method.cancelShipment, order),
    verify: call(Shipping.method.getShipment, order),
    refused: {
      call: call(Shipping.method.ship, { ...order, address, simulateNoCarrier: true }),
      code: FAILED_PRECONDITION,
      reason: "NO_CARRIER",
    },
  },
  {
    service: "rewards",
    action: call(Rewards.method.grantPerks, { accountId: "ada", perks: [Perk.FREE_SHIPPING] }),
    undo: call(Rewards.method.revokePerks, { accountId: "ada" }),
  },
  {
    service: "mail",
    action: call(Mail.method.sendWelcome, { to: "ada@example.com", displayName: "Ada" }),
    undo: call(Mail.method.sendCancellation, { to: "ada@example.com" }),
  },
];
