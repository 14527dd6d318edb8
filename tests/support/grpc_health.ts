/**
 * A server that speaks grpc.health.v1 and nothing else.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  type HealthCheckRequest,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from "../../src/gen/grpc/health/v1/health_pb.ts";

/** `UNKNOWN`, `SERVING`, `NOT_SERVING` or `SERVICE_UNKNOWN`. */
export type Health = keyof typeof HealthCheckResponse_ServingStatus;

/** A running server. */
export interface HealthServer extends AsyncDisposable {
  readonly port: number;
  readonly endpoint: string;
  /** The names that were asked for, by each watch that came in. */
  readonly asked: readonly string[];
  /** How many watch now. */
  readonly watching: number;
  /** What was sent with the latest watch. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Tells all who watch now or later; `null`: says nothing more. */
  say(health: Health | null): void;
  /** Ends every watch with this code. */
  break(code: grpc.status): void;
}

type Watch = grpc.ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

const DEFINITION: grpc.ServiceDefinition = {
  Watch: {
    path: "/grpc.health.v1.Health/Watch",
    requestStream: false,
    responseStream: true,
    requestSerialize: (request: HealthCheckRequest) =>
      Buffer.from(toBinary(HealthCheckRequestSchema, request)),
    requestDeserialize: (bytes) => fromBinary(HealthCheckRequestSchema, bytes),
    responseSerialize: (response: HealthCheckResponse) =>
      Buffer.from(toBinary(HealthCheckResponseSchema, response)),
    responseDeserialize: (bytes) => fromBinary(HealthCheckResponseSchema, bytes),
  },
};

/**
 * Starts a server.
 *
 * @param health what it says at first; `null`: nothing until it is told to
 */
export async function startHealthServer(
  health: Health | null,
  { port = 0 } = {},
): Promise<HealthServer> {
  const server = new grpc.Server();
  const watches = new Set<Watch>();
  const asked: string[] = [];
  let metadata = {};
  const write = (watch: Watch, health: Health) =>
    watch.write(
      create(HealthCheckResponseSchema, { status: HealthCheckResponse_ServingStatus[health] }),
    );
  server.addService(DEFINITION, {
    Watch: (watch: Watch) => {
      asked.push(watch.request.service);
      metadata = watch.metadata.getMap();
      watches.add(watch);
      watch.on("cancelled", () => watches.delete(watch));
      if (health !== null) write(watch, health);
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${port}`,
      grpc.ServerCredentials.createInsecure(),
      (error, bound) => error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port: bound,
    endpoint: `127.0.0.1:${bound}`,
    asked,
    get watching() {
      return watches.size;
    },
    get metadata() {
      return metadata;
    },
    say(said) {
      health = said;
      if (said === null) return;
      for (const watch of watches) write(watch, said);
    },
    break(code) {
      for (const watch of watches) watch.emit("error", { code, details: "broken" });
      watches.clear();
    },
    [Symbol.asyncDispose]: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}
