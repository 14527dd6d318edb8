// What was done and undone, in order: a table, and the service that shows it.

import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { unary } from "./server/definition.mjs";
import { enumeration, message } from "./server/descriptors.mjs";

const TABLE = "ledger";
const Record = message("ledger.v1.Record");
const State = enumeration("ledger.v1.State");
const Operation = enumeration("ledger.v1.Operation");

export class Ledger {
  #store;
  #streams;

  /**
   * @param {import("./store.mjs").Store} store
   * @param {import("./server/streams.mjs").OpenStreams} streams
   */
  constructor(store, streams) {
    this.#store = store;
    this.#streams = streams;
  }

  /**
   * Adds a record. It belongs into the transaction that does what it tells of.
   *
   * @param {import("@bufbuild/protobuf").DescMethod} method
   * @param {import("@grpc/grpc-js").Metadata} metadata
   * @param {"STATE_DONE" | "STATE_UNDONE" | "STATE_VOID"} state
   */
  record(method, metadata, state) {
    const text = (key) => metadata.get(key)[0]?.toString() ?? "";
    const sequence = this.#store.size(TABLE) + 1;
    const record = create(Record, {
      sequence: BigInt(sequence),
      time: timestampNow(),
      method: `${method.parent.typeName}/${method.name}`,
      operation: Operation[`OPERATION_${text("maestro-op").toUpperCase()}`] ?? 0,
      state: State[state],
      actionKey: text("maestro-action-key") || text("idempotency-key"),
      runId: text("maestro-run-id"),
    });
    this.#store.put(TABLE, String(sequence), toJson(Record, record));
  }

  /** The handlers of `ledger.v1.Ledger`. */
  handlers() {
    return {
      list: unary(({ runId }) => ({
        records: this.#store.values(TABLE)
          .map((record) => fromJson(Record, record))
          .filter((record) => runId === "" || record.runId === runId),
      })),
      listStreams: unary(({ runId }) => ({ streams: this.#streams.list(runId) })),
      reset: unary(() =>
        this.#store.transaction(() => {
          this.#store.clear();
          return {};
        })
      ),
    };
  }
}
