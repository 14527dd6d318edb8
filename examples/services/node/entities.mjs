// What the services keep: messages, by type and id.

import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { rpcError } from "./server/rpc_error.mjs";

/** The messages of one type, as a table of the store. */
export class Entities {
  #store;
  #schema;

  /**
   * @param {import("./store.mjs").Store} store
   * @param {import("@bufbuild/protobuf").DescMessage} schema
   */
  constructor(store, schema) {
    this.#store = store;
    this.#schema = schema;
  }

  /** ALREADY_EXISTS when the id is taken. */
  add(id, fields) {
    if (this.#store.get(this.#schema.typeName, id)) {
      throw rpcError(status.ALREADY_EXISTS, `${this.#schema.name} exists: ${id}`);
    }
    const entity = create(this.#schema, fields);
    this.#store.put(this.#schema.typeName, id, toJson(this.#schema, entity));
    return entity;
  }

  /** NOT_FOUND when there is none. */
  get(id) {
    const found = this.#store.get(this.#schema.typeName, id);
    if (!found) throw rpcError(status.NOT_FOUND, `Cannot find ${this.#schema.name}: ${id}`);
    return fromJson(this.#schema, found);
  }

  /** NOT_FOUND when there is none. */
  remove(id) {
    this.get(id);
    this.#store.delete(this.#schema.typeName, id);
  }
}

/** A field that must not be empty; INVALID_ARGUMENT when it is. */
export function required(field, value) {
  if (!value) throw rpcError(status.INVALID_ARGUMENT, `Cannot be empty: ${field}`);
  return value;
}
