// inventory.v1.Inventory

import type { DatabaseSync } from "node:sqlite";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import {
  Inventory,
  type Item,
  ItemSchema,
  ReservationSchema,
} from "./gen/inventory/v1/inventory_pb.ts";
import { rpcError } from "../node/server/rpc_error.mjs";
import type { Barrier } from "./barrier.ts";
import { Entities } from "./entities.ts";
import { required } from "./required.ts";

interface Article {
  /** In euro cents. */
  price: bigint;
  stock: number;
}

const catalogue = new Map<string, Article>([
  ["KEYBOARD", { price: 8_990n, stock: 1_000_000 }],
  ["MOUSE", { price: 2_950n, stock: 1_000_000 }],
  // Few, to see a shop run out of stock.
  ["TURNTABLE", { price: 64_900n, stock: 3 }],
]);

/** The handlers of the service. */
export function inventory(barrier: Barrier, database: DatabaseSync) {
  const { reserve, release, getReservation } = Inventory.method;
  const reservations = new Entities(database, ReservationSchema);
  /** How much of each article is set aside, over all orders. */
  const setAside = new Entities(database, ItemSchema);

  /** Sets an item aside and tells what it costs, in euro cents. */
  function take({ sku, quantity }: Item): bigint {
    const article = catalogue.get(sku);
    if (!article) throw rpcError(status.NOT_FOUND, `Cannot find SKU: ${sku}`);
    if (quantity < 1) {
      throw rpcError(status.INVALID_ARGUMENT, `Must be at least 1: quantity ${quantity}`);
    }
    const taken = (setAside.find(sku)?.quantity ?? 0) + quantity;
    if (taken > article.stock) {
      throw rpcError(status.FAILED_PRECONDITION, `Out of stock: ${sku}`, "OUT_OF_STOCK");
    }
    setAside.put(sku, { sku, quantity: taken });
    return article.price * BigInt(quantity);
  }

  function putBack({ sku, quantity }: Item): void {
    setAside.put(sku, { sku, quantity: setAside.get(sku).quantity - quantity });
  }

  return {
    reserve: barrier.act(reserve, ({ orderId, items }) => {
      if (items.length === 0) throw rpcError(status.INVALID_ARGUMENT, "Cannot be empty: items");
      const minorUnits = items.reduce((sum, item) => sum + take(item), 0n);
      const reservation = reservations.add(required("order_id", orderId), {
        orderId,
        items,
        total: { currencyCode: "EUR", minorUnits },
        createTime: timestampNow(),
      });
      return { reservation };
    }),

    release: barrier.undo(release, ({ orderId }) => {
      reservations.get(orderId).items.forEach(putBack);
      reservations.remove(orderId);
      return {};
    }),

    getReservation: barrier.verify(getReservation, ({ orderId }) => ({
      reservation: reservations.get(orderId),
    })),
  };
}
