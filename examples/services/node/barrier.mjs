// What makes a service safe to call from a saga.
//
// A workflow engine that lost an answer asks again, and one that gave up asks to undo. On the wire
// such calls overtake each other: the undo may arrive first, and the action after it. The barrier
// keeps one row for every call it has seen, unique by the call's key, and writes it in the
// transaction that does the work. So that
//
//   - an action that comes again is answered as before, and nothing is done twice;
//   - an undo of something that never happened does nothing, and is remembered as "void";
//   - an action that arrives after its undo does nothing: it is turned away with ABORTED.
//
// Calls say who they are in their metadata:
//
//   idempotency-key      the call itself, the same over retries and restarts
//   maestro-action-key   of an undo or a verification: the idempotency key of its action
//   maestro-op           action, compensate or verify
//   maestro-run-id       the workflow's run
//
// A call without metadata, say from grpcurl, is simply done.

import { Buffer } from "node:buffer";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { unary } from "./server/definition.mjs";
import { rpcError } from "./server/rpc_error.mjs";

const TABLE = "barrier";

export class Barrier {
  #store;
  #ledger;

  /**
   * @param {import("./store.mjs").Store} store
   * @param {import("./ledger.mjs").Ledger} ledger
   */
  constructor(store, ledger) {
    this.#store = store;
    this.#ledger = ledger;
  }

  /**
   * A handler that does something: once for each idempotency key.
   *
   * @param {import("@bufbuild/protobuf").DescMethod} method
   * @param {(request: any) => object} work returns the response
   */
  act(method, work) {
    return unary((request, metadata) =>
      this.#once(method, metadata, () => {
        const response = work(request);
        this.#ledger.record(method, metadata, "STATE_DONE");
        return response;
      })
    );
  }

  /**
   * A handler that undoes what an action did. `work` runs only if that action took place here; if
   * not, the answer is an empty response, and the action never will.
   *
   * @param {import("@bufbuild/protobuf").DescMethod} method
   * @param {(request: any) => object} work returns the response
   */
  undo(method, work) {
    return unary((request, metadata) =>
      this.#once(method, metadata, () => {
        const actionKey = text(metadata, "maestro-action-key");
        if (actionKey !== undefined) {
          if (this.#settle(actionKey, method, metadata) === "void") return {};
          // Not deleted: the row must still stop the action from coming again. And it may be undone
          // already, since an action can have several undos, each with a key of its own.
          this.#store.put(TABLE, actionKey, { state: "undone" });
        }
        const response = work(request);
        this.#ledger.record(method, metadata, "STATE_UNDONE");
        return response;
      })
    );
  }

  /**
   * A handler that reads, and so can tell a workflow whether an action happened. NOT_FOUND is a
   * promise: the workflow goes on without the action, which therefore must not come late.
   *
   * @param {import("@bufbuild/protobuf").DescMethod} method
   * @param {(request: any) => object} find returns the response
   */
  verify(method, find) {
    return unary((request, metadata) => {
      const actionKey = text(metadata, "maestro-action-key");
      if (actionKey === undefined) return find(request);
      const state = this.#store.transaction(() => this.#settle(actionKey, method, metadata));
      if (state === "done") return find(request);
      throw rpcError(status.NOT_FOUND, `The action does not stand: ${actionKey}`);
    });
  }

  /** Does `work` and remembers its response, unless the call was seen before. */
  #once(method, metadata, work) {
    const key = text(metadata, "idempotency-key");
    return this.#store.transaction(() => {
      if (key === undefined) return work();
      const seen = this.#store.get(TABLE, key);
      if (seen?.state === "done") {
        return fromBinary(method.output, Buffer.from(seen.response, "base64"));
      }
      if (seen) throw rpcError(status.ABORTED, `Undone before it arrived: ${key}`, "ACTION_UNDONE");
      const bytes = toBinary(method.output, create(method.output, work()));
      this.#store.put(TABLE, key, {
        state: "done",
        response: Buffer.from(bytes).toString("base64"),
      });
      return fromBinary(method.output, bytes);
    });
  }

  /**
   * What became of an action. One that never came is made void: from now on it never will.
   *
   * @returns {"done" | "undone" | "void"}
   */
  #settle(actionKey, method, metadata) {
    const action = this.#store.get(TABLE, actionKey);
    if (action) return action.state;
    this.#store.put(TABLE, actionKey, { state: "void" });
    this.#ledger.record(method, metadata, "STATE_VOID");
    return "void";
  }
}

function text(metadata, key) {
  return metadata.get(key)[0]?.toString();
}
