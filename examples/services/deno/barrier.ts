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

import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  create,
  type DescMessage,
  type DescMethodClientStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type handleClientStreamingCall,
  type handleUnaryCall,
  type Metadata,
  status,
} from "@grpc/grpc-js";
import { unary } from "../node/server/definition.mjs";
import { collecting } from "../node/server/streams.mjs";
import { rpcError } from "../node/server/rpc_error.mjs";
import { transaction } from "./database.ts";
import type { Ledger } from "./ledger.ts";
import { State } from "./gen/ledger/v1/ledger_pb.ts";

type Method<Input extends DescMessage, Output extends DescMessage> = DescMethodUnary<Input, Output>;
type Handler<Input extends DescMessage, Output extends DescMessage> = handleUnaryCall<
  MessageShape<Input>,
  MessageInitShape<Output>
>;
type Work<Input extends DescMessage, Output extends DescMessage> = (
  request: MessageShape<Input>,
) => MessageInitShape<Output>;

type AnyMethod<Output extends DescMessage = DescMessage> =
  | DescMethodUnary<DescMessage, Output>
  | DescMethodClientStreaming<DescMessage, Output>;

/** The response of a row whose call is not to be answered again. */
const NOTHING = new Uint8Array();

interface Row {
  state: "done" | "undone" | "void";
  /** What the call was answered. */
  response: Uint8Array;
}

export class Barrier {
  readonly #database: DatabaseSync;
  readonly #ledger: Ledger;
  readonly #get: StatementSync;
  readonly #put: StatementSync;

  constructor(database: DatabaseSync, ledger: Ledger) {
    this.#database = database;
    this.#ledger = ledger;
    database.exec(
      `CREATE TABLE IF NOT EXISTS barrier (
         key TEXT PRIMARY KEY, state TEXT NOT NULL, response BLOB NOT NULL
       ) STRICT, WITHOUT ROWID`,
    );
    this.#get = database.prepare("SELECT state, response FROM barrier WHERE key = ?");
    this.#put = database.prepare("INSERT OR REPLACE INTO barrier VALUES (?, ?, ?)");
  }

  /** A handler that does something: once for each idempotency key. */
  act<Input extends DescMessage, Output extends DescMessage>(
    method: Method<Input, Output>,
    work: Work<Input, Output>,
  ): Handler<Input, Output> {
    return unary((request, metadata) => this.#act(method, metadata, () => work(request)));
  }

  /** The same where the client sends a stream: `work` gets all of its messages, or isn't done. */
  actOnAll<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodClientStreaming<Input, Output>,
    work: (requests: readonly MessageShape<Input>[]) => MessageInitShape<Output>,
  ): handleClientStreamingCall<MessageShape<Input>, MessageInitShape<Output>> {
    return collecting((requests: MessageShape<Input>[], metadata) =>
      this.#act(method, metadata, () => work(requests))
    );
  }

  /**
   * A handler that undoes what an action did. `work` runs only if that action took place here; if
   * not, the answer is an empty response, and the action never will.
   */
  undo<Input extends DescMessage, Output extends DescMessage>(
    method: Method<Input, Output>,
    work: Work<Input, Output>,
  ): Handler<Input, Output> {
    return unary((request, metadata) =>
      this.#once(method, metadata, () => {
        const actionKey = text(metadata, "maestro-action-key");
        if (actionKey !== undefined) {
          if (this.#settle(actionKey, method, metadata) === "void") return create(method.output);
          // Not deleted: the row must still stop the action from coming again. And it may be undone
          // already, since an action can have several undos, each with a key of its own.
          this.#put.run(actionKey, "undone", NOTHING);
        }
        const response = work(request);
        this.#ledger.record(method, metadata, State.UNDONE);
        return response;
      })
    );
  }

  /**
   * A handler that reads, and so can tell a workflow whether an action happened. NOT_FOUND is a
   * promise: the workflow goes on without the action, which therefore must not come late.
   */
  verify<Input extends DescMessage, Output extends DescMessage>(
    method: Method<Input, Output>,
    find: Work<Input, Output>,
  ): Handler<Input, Output> {
    return unary((request, metadata) => {
      const actionKey = text(metadata, "maestro-action-key");
      if (actionKey === undefined) return find(request);
      const state = transaction(
        this.#database,
        () => this.#settle(actionKey, method, metadata),
      );
      if (state === "done") return find(request);
      throw rpcError(status.NOT_FOUND, `The action does not stand: ${actionKey}`);
    });
  }

  #act<Output extends DescMessage>(
    method: AnyMethod<Output>,
    metadata: Metadata,
    work: () => MessageInitShape<Output>,
  ): MessageInitShape<Output> {
    return this.#once(method, metadata, () => {
      const response = work();
      this.#ledger.record(method, metadata, State.DONE);
      return response;
    });
  }

  /** Does `work` and remembers its response, unless the call was seen before. */
  #once<Output extends DescMessage>(
    method: AnyMethod<Output>,
    metadata: Metadata,
    work: () => MessageInitShape<Output>,
  ): MessageInitShape<Output> {
    const key = text(metadata, "idempotency-key");
    return transaction(this.#database, () => {
      if (key === undefined) return work();
      const seen = this.#row(key);
      if (seen?.state === "done") return fromBinary(method.output, seen.response);
      if (seen) throw rpcError(status.ABORTED, `Undone before it arrived: ${key}`, "ACTION_UNDONE");
      const response = create(method.output, work());
      this.#put.run(key, "done", toBinary(method.output, response));
      return response;
    });
  }

  /** What became of an action. One that never came is made void: from now on it never will. */
  #settle(actionKey: string, method: DescMethodUnary, metadata: Metadata): Row["state"] {
    const action = this.#row(actionKey);
    if (action) return action.state;
    this.#put.run(actionKey, "void", NOTHING);
    this.#ledger.record(method, metadata, State.VOID);
    return "void";
  }

  #row(key: string): Row | undefined {
    // Only this class writes the table.
    return this.#get.get(key) as Row | undefined;
  }
}

function text(metadata: Metadata, key: string): string | undefined {
  return metadata.get(key)[0]?.toString();
}
