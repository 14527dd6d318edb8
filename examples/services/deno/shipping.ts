// shipping.v1.Shipping

import type { DatabaseSync } from "node:sqlite";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { Carrier, ShipmentSchema, Shipping } from "./gen/shipping/v1/shipping_pb.ts";
import { rpcError } from "../node/server/rpc_error.mjs";
import type { Barrier } from "./barrier.ts";
import { Entities } from "./entities.ts";
import { required } from "./required.ts";

const DELIVERY_MS = 3 * 24 * 60 * 60 * 1000;

/** The handlers of the service. */
export function shipping(barrier: Barrier, database: DatabaseSync) {
  const { ship, cancelShipment, getShipment } = Shipping.method;
  const shipments = new Entities(database, ShipmentSchema);

  return {
    ship: barrier.act(ship, ({ orderId, address, simulateNoCarrier }) => {
      const countryCode = required("address.country_code", address?.countryCode ?? "");
      if (simulateNoCarrier) {
        throw rpcError(status.FAILED_PRECONDITION, `No carrier to ${countryCode}`, "NO_CARRIER");
      }
      const now = Date.now();
      const shipment = shipments.add(required("order_id", orderId), {
        orderId,
        carrier: countryCode === "DE" ? Carrier.DHL : Carrier.UPS,
        trackingNumber: `tr_${crypto.randomUUID()}`,
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
