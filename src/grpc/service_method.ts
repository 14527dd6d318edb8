import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Level } from "@bufbuild/protobuf/wkt";
import type {
  Answer,
  CallOptions,
  EncodedRequest,
  KeptText,
  Method,
  Target,
  TypeLookup,
} from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import type { Value } from "../workflow/value.ts";
import { type Callable, makeCall } from "./call.ts";
import { keptText } from "./kept_schema.ts";
import { methodName } from "./methods.ts";
import { notSent } from "./not_sent.ts";
import type { Connection, ConnectionPool } from "./pool.ts";
import { encodeRequest, WireRequest } from "./request.ts";
import type { Schema } from "./schema.ts";
import { explainTls } from "./tls_doubts.ts";

const IDEMPOTENCY: Readonly<Record<Level, Method["idempotency"]>> = {
  [Level.IDEMPOTENCY_UNKNOWN]: "unknown",
  [Level.NO_SIDE_EFFECTS]: "no_side_effects",
  [Level.IDEMPOTENT]: "idempotent",
};

/** What the schema says about repeating a method. */
export function idempotencyOf(method: DescMethod): Method["idempotency"] {
  return IDEMPOTENCY[method.idempotency];
}

/** A method of a target. It keeps the schema it was found in, whatever is loaded later. */
export class ServiceMethod implements Method {
  readonly name: string;
  readonly idempotency: Method["idempotency"];
  readonly types: TypeLookup;
  readonly #pool: ConnectionPool;
  readonly #target: Target;
  readonly #schema: Schema;
  readonly #callable: Callable;

  constructor(pool: ConnectionPool, target: Target, schema: Schema, method: DescMethod) {
    const { registry } = schema;
    const { name: service, tls, maxMessageSize } = target.service;
    this.name = methodName(method);
    this.idempotency = idempotencyOf(method);
    this.types = (typeName) => registry.getMessage(typeName);
    this.#pool = pool;
    this.#target = target;
    this.#schema = schema;
    this.#callable = {
      method,
      registry,
      path: `/${this.name}`,
      where: {
        service,
        endpoint: target.shown ?? target.endpoint,
        tls: tls !== null,
        maxMessageSize,
      },
    };
  }

  get schema(): KeptText {
    return keptText(this.#schema);
  }

  encode(input: Value): EncodedRequest {
    return encodeRequest(
      this.#callable.method,
      this.#callable.registry,
      this.#target.service,
      input,
    );
  }

  call(request: EncodedRequest, options: CallOptions): Promise<Answer> {
    if (!(request instanceof WireRequest)) {
      const message = `Cannot send a request that ${this.name} did not encode`;
      return Promise.resolve(notSent(new MaestroError("INTERNAL", message)));
    }
    const connection = this.#pool.connected(this.#target);
    return connection === undefined || connection.tls !== null
      ? this.#callSlowly(connection, request, options)
      : makeCall(connection, this.#callable, request, options);
  }

  /** A call that has to wait for its channel, or whose failure may have to be looked into. */
  async #callSlowly(
    connected: Connection | undefined,
    request: WireRequest,
    options: CallOptions,
  ): Promise<Answer> {
    try {
      const began = performance.now();
      const connection = connected ?? await this.#pool.connect(this.#target);
      const spent = performance.now() - began;
      const answer = await makeCall(connection, this.#callable, request, options, spent);
      if (answer.ok) return answer;
      return { ok: false, failure: await explainTls(connection, answer.failure) };
    } catch (error) {
      return notSent(error);
    }
  }
}
