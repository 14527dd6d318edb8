import { Buffer } from "node:buffer";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ClientReadableStream, Metadata, StatusObject } from "@grpc/grpc-js";
import type { Target } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import { cancellable } from "./inflight.ts";
import { backoffDelay, type BackoffRule } from "../machines/backoff.ts";
import type { Connection } from "./connection.ts";
import {
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthCheckResponseSchema,
} from "../gen/grpc/health/v1/health_pb.ts";
import { toMetadata } from "./metadata.ts";
import type { ConnectionPool } from "./pool.ts";

/** Between watches that broke: gRPC A17 takes connection-backoff.md's, which this doubles. */
const BACKOFF: BackoffRule = {
  backoff: "exponential",
  initialDelay: 1_000,
  multiplier: 2,
  maxDelay: 120_000,
  jitter: 0.2,
};

/** After so many watches that broke, about 15 s as by default a breaker waits for a trial, an answer is out of date. */
const STALE = 5;

const PATH = "/grpc.health.v1.Health/Watch";

/** What is watched, and who hears of it. */
export interface HealthWatchOptions {
  readonly pool: ConnectionPool;
  readonly target: Target;
  /** `""`: the server as a whole. */
  readonly name: string;
  /** Is told when the answer changes, the first answer included. */
  readonly hear: (serving: boolean) => void;
  /** Default: 1 s doubling to 2 min. */
  readonly backoff?: BackoffRule;
}

/**
 * Watches one service's health by `grpc.health.v1` (gRPC A17). A watch that breaks says nothing
 * about the service, and is resumed; what the service said before is forgotten when several have
 * broken in a row, or "not serving" would hold for ever. A server that doesn't know health counts
 * as healthy, and is not asked again. It lasts until it is disposed of.
 */
export class HealthWatch implements Disposable {
  readonly #options: HealthWatchOptions;
  #told: boolean | undefined;
  /** Watches that broke since there was an answer. */
  #broken = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #call: ClientReadableStream<HealthCheckResponse> | undefined;
  #over = false;

  constructor(options: HealthWatchOptions) {
    this.#options = options;
    this.#ask();
  }

  [Symbol.dispose](): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#call?.cancel();
  }

  async #ask(): Promise<void> {
    const { pool, target } = this.#options;
    try {
      const metadata = await target.metadata?.() ?? {};
      this.#watch(await pool.connect(target), metadata);
    } catch (error) {
      // Files and secrets that can't be read now may be there later; a closed pool won't open again.
      if (MaestroError.from(error).code !== "ENGINE_CLOSED") this.#resume();
    }
  }

  #watch(
    { grpc, client, inFlight }: Connection,
    plain: Readonly<Record<string, string>>,
  ): void {
    if (this.#over) return;
    // Ready, so that an absent server costs no backoff here: its channel knows when it is back.
    const metadata = toMetadata(grpc, plain);
    metadata.setOptions({ waitForReady: true });
    const call = client.makeServerStreamRequest(
      PATH,
      (name: string) =>
        Buffer.from(
          toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service: name })),
        ),
      (bytes: Buffer) => fromBinary(HealthCheckResponseSchema, bytes),
      this.#options.name,
      metadata,
    );
    this.#call = call;
    const counted = cancellable(() => call.cancel());
    inFlight.begin(counted);
    let isGrpc = false;
    call.on("metadata", (headers: Metadata) => isGrpc = saysGrpc(headers));
    call.on("data", ({ status }: HealthCheckResponse) => {
      this.#broken = 0;
      this.#tell(status === ServingStatus.SERVING);
    });
    // Its status says the same, and comes after it.
    call.on("error", () => {});
    call.on("status", ({ code, metadata }: StatusObject) => {
      inFlight.end(counted);
      // A proxy's 404 is UNIMPLEMENTED too, and says nothing about the server behind it.
      isGrpc ||= saysGrpc(metadata);
      if (code === grpc.status.UNIMPLEMENTED && isGrpc) this.#tell(true);
      else this.#resume();
    });
  }

  #resume(): void {
    if (this.#over) return;
    const { backoff = BACKOFF } = this.#options;
    const delay = backoffDelay(backoff, ++this.#broken, Math.random());
    if (this.#broken >= STALE && this.#told === false) this.#tell(true);
    this.#timer = setTimeout(() => this.#ask(), delay);
  }

  #tell(serving: boolean): void {
    if (this.#over || this.#told === serving) return;
    this.#told = serving;
    this.#options.hear(serving);
  }
}

function saysGrpc(headers: Metadata): boolean {
  const [type] = headers.get("content-type");
  return typeof type === "string" && type.startsWith("application/grpc");
}
