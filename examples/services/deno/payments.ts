// payments.v1.Payments

import type { DatabaseSync } from "node:sqlite";
import { equals } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import type { Money } from "./gen/money/v1/money_pb.ts";
import {
  CardBrand,
  type Charge,
  type ChargeRequest,
  ChargeSchema,
  ChargeStatus,
  type ListChargesRequest,
  PaymentMethodSchema,
  Payments,
  type QuoteRequest,
} from "./gen/payments/v1/payments_pb.ts";
import { rpcError } from "../node/server/rpc_error.mjs";
import { conversing, streaming } from "../node/server/streams.mjs";
import type { Barrier } from "./barrier.ts";
import { changes } from "./database.ts";
import { Entities } from "./entities.ts";
import { required } from "./required.ts";

const cards = new Map([
  ["tok_visa", CardBrand.VISA],
  ["tok_mastercard", CardBrand.MASTERCARD],
]);

/** What a charge is made of, whichever method asks for it. */
type Order = Pick<ChargeRequest, "orderId" | "amount" | "cardToken">;

/** The handlers of the service. */
export function payments(barrier: Barrier, database: DatabaseSync) {
  const { addPaymentMethod, removePaymentMethod, charge, refund, getCharge, importCharges } =
    Payments.method;
  const paymentMethods = new Entities(database, PaymentMethodSchema);
  const charges = new Entities(database, ChargeSchema);

  function make({ orderId, amount, cardToken }: Order): Charge {
    checkAmount(amount);
    // Asking the card's network; it is the token that decides what it says.
    brandOf(cardToken);
    return charges.add(required("order_id", orderId), {
      chargeId: `ch_${crypto.randomUUID()}`,
      orderId,
      amount,
      status: ChargeStatus.CAPTURED,
      createTime: timestampNow(),
    });
  }

  return {
    addPaymentMethod: barrier.act(addPaymentMethod, (request) => {
      const paymentMethodId = required("payment_method_id", request.paymentMethodId);
      const paymentMethod = paymentMethods.add(paymentMethodId, {
        paymentMethodId,
        accountId: required("account_id", request.accountId),
        brand: brandOf(request.cardToken),
        createTime: timestampNow(),
      });
      return { paymentMethod };
    }),

    removePaymentMethod: barrier.undo(removePaymentMethod, ({ paymentMethodId }) => {
      paymentMethods.remove(paymentMethodId);
      return {};
    }),

    charge: barrier.act(charge, (order) => ({ charge: make(order) })),

    refund: barrier.undo(refund, ({ orderId }) => {
      const made = charges.get(orderId);
      if (made.status === ChargeStatus.REFUNDED) {
        throw rpcError(status.NOT_FOUND, `Nothing is left to refund: ${orderId}`);
      }
      return { charge: charges.put(orderId, { ...made, status: ChargeStatus.REFUNDED }) };
    }),

    getCharge: barrier.verify(getCharge, ({ orderId }) => ({ charge: charges.get(orderId) })),

    listCharges: streaming(async function* (request: ListChargesRequest, signal) {
      // As they went out: one that has changed since goes out again.
      const sent = new Map<string, Charge>();
      for await (const _ of changes(signal)) {
        for (const charge of charges.list()) {
          if (request.status !== ChargeStatus.UNSPECIFIED && request.status !== charge.status) {
            continue;
          }
          const before = sent.get(charge.orderId);
          if (before && equals(ChargeSchema, before, charge)) continue;
          yield { charge };
          sent.set(charge.orderId, charge);
        }
        if (!request.follow) return;
      }
    }),

    importCharges: barrier.actOnAll(importCharges, (orders) => {
      if (orders.length === 0) {
        throw rpcError(status.INVALID_ARGUMENT, "Cannot be empty: the stream");
      }
      const totals = new Map<string, bigint>();
      for (const { amount } of orders.map(make)) {
        const { currencyCode = "", minorUnits = 0n } = amount ?? {};
        totals.set(currencyCode, (totals.get(currencyCode) ?? 0n) + minorUnits);
      }
      return {
        chargeCount: orders.length,
        totals: [...totals].sort().map(([currencyCode, minorUnits]) => ({
          currencyCode,
          minorUnits,
        })),
      };
    }),

    quote: conversing(async function* (requests: AsyncIterable<QuoteRequest>) {
      for await (const { amount } of requests) {
        const { currencyCode, minorUnits } = checkAmount(amount);
        yield {
          amount,
          fee: { currencyCode, minorUnits: (minorUnits * 14n + 999n) / 1000n + 25n },
        };
      }
    }),
  };
}

function checkAmount(amount: Money | undefined): Money {
  if (!amount || amount.minorUnits <= 0n) {
    throw rpcError(status.INVALID_ARGUMENT, "Must be more than zero: amount");
  }
  return amount;
}

function brandOf(cardToken: string): CardBrand {
  if (cardToken === "tok_declined") {
    throw rpcError(status.FAILED_PRECONDITION, "The card was declined", "CARD_DECLINED");
  }
  const brand = cards.get(cardToken);
  if (!brand) throw rpcError(status.INVALID_ARGUMENT, `Cannot use card_token: ${cardToken}`);
  return brand;
}
