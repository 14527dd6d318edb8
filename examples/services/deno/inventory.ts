// inventory.v1.Inventory

import type { DatabaseSync } from "node:sqlite";
import { equals } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import {
  type CheckStockRequest,
  Inventory,
  type Item,
  ItemSchema,
  type ListReservationsRequest,
  type Reservation,
  ReservationSchema,
  RestockRequestSchema,
} from "./gen/inventory/v1/inventory_pb.ts";
import { rpcError } from "../node/server/rpc_error.mjs";
import { conversing, streaming } from "../node/server/streams.mjs";
import type { Barrier } from "./barrier.ts";
import { changes } from "./database.ts";
import { Entities } from "./entities.ts";
import { required } from "./required.ts";

interface Article {
  /** In euro cents. */
  price: bigint;
  /** Before any delivery. */
  stock: number;
}

const catalogue = new Map<string, Article>([
  ["KEYBOARD", { price: 8_990n, stock: 1_000_000 }],
  ["MOUSE", { price: 2_950n, stock: 1_000_000 }],
  // Few, to see a shop run out of stock.
  ["TURNTABLE", { price: 64_900n, stock: 3 }],
  // What a travel agency sells. Few rooms, to see it fall back on the other hotel.
  ["FLIGHT_LISBON", { price: 18_900n, stock: 1_000_000 }],
  ["HOTEL_HARBOUR", { price: 24_500n, stock: 2 }],
  ["HOTEL_GARDEN", { price: 21_000n, stock: 1_000_000 }],
]);

/** The handlers of the service. */
export function inventory(barrier: Barrier, database: DatabaseSync) {
  const { reserve, release, getReservation, restock, sendBack } = Inventory.method;
  const reservations = new Entities(database, ReservationSchema);
  /** How much of each article is set aside, over all orders. */
  const setAside = new Entities(database, ItemSchema);
  /** As they were announced. */
  const deliveries = new Entities(database, RestockRequestSchema);

  /** How much of an article is in stock and not set aside. */
  function available(sku: string, { stock }: Article): number {
    const delivered = deliveries.list()
      .reduce((sum, { item }) => item?.sku === sku ? sum + item.quantity : sum, 0);
    return stock + delivered - (setAside.find(sku)?.quantity ?? 0);
  }

  function refuseShortage(sku: string, article: Article): void {
    if (available(sku, article) < 0) {
      throw rpcError(status.FAILED_PRECONDITION, `Out of stock: ${sku}`, "OUT_OF_STOCK");
    }
  }

  /** Sets an item aside and tells what it costs, in euro cents. */
  function take(item: Item): bigint {
    const { sku, quantity } = item;
    const article = articleOf(item);
    setAside.put(sku, { sku, quantity: (setAside.find(sku)?.quantity ?? 0) + quantity });
    refuseShortage(sku, article);
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

    listReservations: streaming(async function* (request: ListReservationsRequest, signal) {
      // As they went out: one that was released and made again goes out again.
      const sent = new Map<string, Reservation>();
      for await (const _ of changes(signal)) {
        for (const reservation of reservations.list()) {
          const { orderId, items } = reservation;
          if (request.sku !== "" && !items.some(({ sku }) => sku === request.sku)) continue;
          const before = sent.get(orderId);
          if (before && equals(ReservationSchema, before, reservation)) continue;
          yield { reservation };
          sent.set(orderId, reservation);
        }
        if (!request.follow) return;
      }
    }),

    restock: barrier.actOnAll(restock, (requests) => {
      if (requests.length === 0) {
        throw rpcError(status.INVALID_ARGUMENT, "Cannot be empty: the stream");
      }
      const received = new Map<string, number>();
      for (const { deliveryId, item } of requests) {
        articleOf(item);
        const { sku = "", quantity = 0 } = item ?? {};
        deliveries.add(required("delivery_id", deliveryId), {
          deliveryId,
          item: { sku, quantity },
        });
        received.set(sku, (received.get(sku) ?? 0) + quantity);
      }
      return {
        deliveryCount: requests.length,
        received: [...received].sort().map(([sku, quantity]) => ({ sku, quantity })),
      };
    }),

    sendBack: barrier.undo(sendBack, ({ deliveryId }) => {
      const { item } = deliveries.get(deliveryId);
      deliveries.remove(deliveryId);
      refuseShortage(item?.sku ?? "", articleOf(item));
      return {};
    }),

    checkStock: conversing(async function* (requests: AsyncIterable<CheckStockRequest>) {
      for await (const { item } of requests) {
        const article = articleOf(item);
        const { sku = "", quantity = 0 } = item ?? {};
        const there = available(sku, article);
        yield { item, available: there, enough: there >= quantity };
      }
    }),
  };
}

/** The article of an item, of which there must be at least one. */
function articleOf(item: Item | undefined): Article {
  const { sku = "", quantity = 0 } = item ?? {};
  const article = catalogue.get(sku);
  if (!article) throw rpcError(status.NOT_FOUND, `Cannot find SKU: ${sku}`);
  if (quantity < 1) {
    throw rpcError(status.INVALID_ARGUMENT, `Must be at least 1: quantity ${quantity}`);
  }
  return article;
}
