// shipping.v1.Shipping

import { randomUUID } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { Entities, required } from "./entities.mjs";
import { enumeration, message, service } from "./server/descriptors.mjs";
import { rpcError } from "./server/rpc_error.mjs";

export const Shipping = service("shipping.v1.Shipping");
const Carrier = enumeration("shipping.v1.Carrier");
const DELIVERY_MS = 3 * 24 * 60 * 60 * 1000;

/**
 * The handlers of the service.
 *
 * @param {import("./barrier.mjs").Barrier} barrier
 * @param {import("./store.mjs").Store} store
 */
export function shipping(barrier, store) {
  const { ship, cancelShipment, getShipment } = Shipping.method;
  const shipments = new Entities(store, message("shipping.v1.Shipment"));

  return {
    ship: barrier.act(ship, (request) => {
      const orderId = required("order_id", request.orderId);
      const countryCode = required("address.country_code", request.address?.countryCode);
      if (request.simulateNoCarrier) {
        throw rpcError(status.FAILED_PRECONDITION, `No carrier to ${countryCode}`, "NO_CARRIER");
      }
      const now = Date.now();
      const shipment = shipments.add(orderId, {
        orderId,
        carrier: countryCode === "DE" ? Carrier.CARRIER_DHL : Carrier.CARRIER_UPS,
        trackingNumber: `tr_${randomUUID()}`,
        createTime: timestampFromMs(now),
        estimatedDeliveryTime: timestampFromMs(now + DELIVERY_MS),
      });
      return { shipment };
    }),

    cancelShipment: barrier.undo(cancelShipment, ({ orderId }) => {
      shipments.remove(orderId);
      return {};
    }),

    getShipment: barrier.verify(getShipment, ({ orderId }) => ({
      shipment: shipments.get(orderId),
    })),
  };
}
