// What the services keep: messages, by type and id.

import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { rpcError } from "../node/server/rpc_error.mjs";

/** The messages of one type. */
export class Entities<Schema extends DescMessage> {
  readonly #schema: Schema;
  readonly #all: StatementSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync, schema: Schema) {
    database.exec(
      `CREATE TABLE IF NOT EXISTS entity (
         type TEXT NOT NULL, id TEXT NOT NULL, message BLOB NOT NULL, PRIMARY KEY (type, id)
       ) STRICT, WITHOUT ROWID`,
    );
    this.#schema = schema;
    this.#all = database.prepare("SELECT message FROM entity WHERE type = ? ORDER BY id");
    this.#get = database.prepare("SELECT message FROM entity WHERE type = ? AND id = ?");
    this.#put = database.prepare("INSERT OR REPLACE INTO entity VALUES (?, ?, ?)");
    this.#delete = database.prepare("DELETE FROM entity WHERE type = ? AND id = ?");
  }

  find(id: string): MessageShape<Schema> | undefined {
    const row = this.#get.get(this.#schema.typeName, id);
    // The column is BLOB NOT NULL in a STRICT table.
    return row && fromBinary(this.#schema, row.message as Uint8Array);
  }

  /** All of them, by id. */
  list(): MessageShape<Schema>[] {
    return this.#all.all(this.#schema.typeName)
      .map(({ message }) => fromBinary(this.#schema, message as Uint8Array));
  }

  /** @throws NOT_FOUND when there is none */
  get(id: string): MessageShape<Schema> {
    const found = this.find(id);
    if (!found) throw this.#notFound(id);
    return found;
  }

  /** @throws ALREADY_EXISTS when the id is taken */
  add(id: string, fields: MessageInitShape<Schema>): MessageShape<Schema> {
    if (this.find(id)) {
      throw rpcError(status.ALREADY_EXISTS, `${this.#schema.name} exists: ${id}`);
    }
    return this.put(id, fields);
  }

  put(id: string, fields: MessageInitShape<Schema>): MessageShape<Schema> {
    const message = create(this.#schema, fields);
    this.#put.run(this.#schema.typeName, id, toBinary(this.#schema, message));
    return message;
  }

  /** @throws NOT_FOUND when there is none */
  remove(id: string): void {
    const { changes } = this.#delete.run(this.#schema.typeName, id);
    if (changes === 0) throw this.#notFound(id);
  }

  #notFound(id: string): Error {
    return rpcError(status.NOT_FOUND, `Cannot find ${this.#schema.name}: ${id}`);
  }
}
