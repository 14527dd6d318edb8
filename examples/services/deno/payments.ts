// payments.v1.Payments

import type { DatabaseSync } from "node:sqlite";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import {
  CardBrand,
  ChargeSchema,
  ChargeStatus,
  PaymentMethodSchema,
  Payments,
} from "./gen/payments/v1/payments_pb.ts";
import { rpcError } from "../node/server/rpc_error.mjs";
import type { Barrier } from "./barrier.ts";
import { Entities } from "./entities.ts";
import { required } from "./required.ts";

const cards = new Map([
  ["tok_visa", CardBrand.VISA],
  ["tok_mastercard", CardBrand.MASTERCARD],
]);

/** The handlers of the service. */
export function payments(barrier: Barrier, database: DatabaseSync) {
  const { addPaymentMethod, removePaymentMethod, charge, refund, getCharge } = Payments.method;
  const paymentMethods = new Entities(database, PaymentMethodSchema);
  const charges = new Entities(database, ChargeSchema);

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

    charge: barrier.act(charge, ({ orderId, amount, cardToken }) => {
      if (!amount || amount.minorUnits <= 0n) {
        throw rpcError(status.INVALID_ARGUMENT, "Must be more than zero: amount");
      }
      // Asking the card's network; it is the token that decides what it says.
      brandOf(cardToken);
      const made = charges.add(required("order_id", orderId), {
        chargeId: `ch_${crypto.randomUUID()}`,
        orderId,
        amount,
        status: ChargeStatus.CAPTURED,
        createTime: timestampNow(),
      });
      return { charge: made };
    }),

    refund: barrier.undo(refund, ({ orderId }) => {
      const made = charges.get(orderId);
      if (made.status === ChargeStatus.REFUNDED) {
        throw rpcError(status.NOT_FOUND, `Nothing is left to refund: ${orderId}`);
      }
      return { charge: charges.put(orderId, { ...made, status: ChargeStatus.REFUNDED }) };
    }),

    getCharge: barrier.verify(getCharge, ({ orderId }) => ({ charge: charges.get(orderId) })),
  };
}

function brandOf(cardToken: string): CardBrand {
  if (cardToken === "tok_declined") {
    throw rpcError(status.FAILED_PRECONDITION, "The card was declined", "CARD_DECLINED");
  }
  const brand = cards.get(cardToken);
  if (!brand) throw rpcError(status.INVALID_ARGUMENT, `Cannot use card_token: ${cardToken}`);
  return brand;
}
