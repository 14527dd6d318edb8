// What was done and undone, in order: a table, and the service that shows it.

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { create, type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import type { Metadata } from "@grpc/grpc-js";
import {
  type ListRequest,
  type ListStreamsRequest,
  Operation,
  type Record,
  RecordSchema,
  type State,
} from "./gen/ledger/v1/ledger_pb.ts";
import { unary } from "../node/server/definition.mjs";
import type { OpenStreams } from "../node/server/streams.mjs";
import { transaction } from "./database.ts";

const operations = new Map([
  ["action", Operation.ACTION],
  ["compensate", Operation.COMPENSATE],
  ["verify", Operation.VERIFY],
]);

export class Ledger {
  readonly #database: DatabaseSync;
  readonly #streams: OpenStreams;
  readonly #insert: StatementSync;

  constructor(database: DatabaseSync, streams: OpenStreams) {
    this.#database = database;
    this.#streams = streams;
    database.exec(
      `CREATE TABLE IF NOT EXISTS ledger (
         sequence INTEGER PRIMARY KEY, run_id TEXT NOT NULL, record BLOB NOT NULL
       ) STRICT`,
    );
    this.#insert = database.prepare("INSERT INTO ledger (run_id, record) VALUES (?, ?)");
  }

  /** Adds a record. It belongs into the transaction that does what it tells of. */
  record(method: DescMethod, metadata: Metadata, state: State): void {
    const text = (key: string) => metadata.get(key)[0]?.toString() ?? "";
    const runId = text("maestro-run-id");
    const record = create(RecordSchema, {
      time: timestampNow(),
      method: `${method.parent.typeName}/${method.name}`,
      operation: operations.get(text("maestro-op")) ?? Operation.UNSPECIFIED,
      state,
      actionKey: text("maestro-action-key") || text("idempotency-key"),
      runId,
    });
    this.#insert.run(runId, toBinary(RecordSchema, record));
  }

  /** The handlers of `ledger.v1.Ledger`. */
  handlers() {
    return {
      list: unary((request: ListRequest) => ({ records: this.#list(request.runId) })),
      listStreams: unary((request: ListStreamsRequest) => ({
        streams: this.#streams.list(request.runId),
      })),
      reset: unary(() => {
        this.#reset();
        return {};
      }),
    };
  }

  #list(runId: string): Record[] {
    return this.#database
      .prepare("SELECT sequence, record FROM ledger WHERE ? IN ('', run_id) ORDER BY sequence")
      .all(runId)
      .map(({ sequence, record }) => ({
        // The columns are what `record` wrote into them.
        ...fromBinary(RecordSchema, record as Uint8Array),
        sequence: BigInt(sequence as number),
      }));
  }

  #reset(): void {
    transaction(this.#database, () => {
      this.#database.exec("DELETE FROM entity; DELETE FROM barrier; DELETE FROM ledger");
    });
  }
}
