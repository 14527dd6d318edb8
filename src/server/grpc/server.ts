/**
 * The gRPC API of a server: `maestro.v1`, with reflection and health.
 *
 * @module
 */
import { Server } from "@grpc/grpc-js";
import { Health as HealthDescriptor } from "../../gen/grpc/health/v1/health_pb.ts";
import { Runs } from "../../gen/maestro/v1/runs_pb.ts";
import { Services } from "../../gen/maestro/v1/services_pb.ts";
import { Workflows } from "../../gen/maestro/v1/workflows_pb.ts";
import { MaestroError } from "../../errors.ts";
import type { Caller, Operations } from "../operations.ts";
import { type ServerCertificate, serverCredentials } from "./credentials.ts";
import { Health } from "./health.ts";
import { addReflection } from "./reflection.ts";
import { addService, type RpcOptions } from "./rpc.ts";
import { runsService } from "./runs.ts";
import { servicesService } from "./services.ts";
import { type StreamLimits, Streams } from "./streams.ts";
import { workflowsService } from "./workflows.ts";

/** How a gRPC server is started. */
export interface GrpcServerOptions extends StreamLimits {
  /** What can be asked of it. */
  readonly operations: Operations;
  /** Where it listens: `127.0.0.1:7070`; port 0: a free one. */
  readonly address: string;
  /** `null`: in plain text. */
  readonly certificate: ServerCertificate | null;
  /** Who asks, by the token that came with a call. Health and reflection are open to all. */
  readonly authenticate: RpcOptions["authenticate"];
  /** The largest message that is taken, in bytes. @default 4 MiB */
  readonly maxMessageSize?: number;
  /** Hears of a defect: what the caller is not told. */
  readonly onDefect: (error: unknown) => void;
}

/** A gRPC server that listens. */
export interface GrpcServer {
  /** Where. */
  readonly port: number;
  /** How many streams are open. */
  readonly streams: number;
  /** Says by its health whether it should be asked. */
  setServing(isServing: boolean): void;
  /**
   * Takes no more calls, ends the watches, and lets the other calls end.
   *
   * @param grace for how long they may take, in milliseconds
   */
  close(grace?: number): Promise<void>;
}

/** Who may look at health and reflection: anybody. */
const ANYBODY: Caller = { name: "anybody", role: "viewer" };

/** How often a connection without a sign of life is asked for one, in milliseconds: watches may be silent for days. */
const KEEPALIVE = 60_000;

/** Starts the server. @throws {MaestroError} `USAGE` where it can't listen */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { operations, authenticate, onDefect, maxMessageSize = 4 * 1024 * 1024 } = options;
  const server = new Server({
    "grpc.max_receive_message_length": maxMessageSize,
    "grpc.max_concurrent_streams": 1_000,
    "grpc.keepalive_time_ms": KEEPALIVE,
  });
  const streams = new Streams(options);
  const services = [Runs, Workflows, Services];
  const health = new Health(services.map(({ typeName }) => typeName));
  const rpc = { authenticate, streams, onDefect };
  addService(server, Runs, runsService(operations), rpc);
  addService(server, Workflows, workflowsService(operations), rpc);
  addService(server, Services, servicesService(operations), rpc);
  addService(server, HealthDescriptor, health.methods(), { ...rpc, authenticate: () => ANYBODY });
  addReflection(server, [...services, HealthDescriptor]);
  const port = await listen(server, options);
  return {
    port,
    get streams() {
      return streams.size;
    },
    setServing: (isServing) => health.set(isServing),
    async close(grace = 5_000) {
      health.set(false);
      streams.close();
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      server.tryShutdown(() => resolve());
      const timer = setTimeout(() => server.forceShutdown(), grace);
      await ended;
      clearTimeout(timer);
    },
  };
}

function listen(
  server: Server,
  { address, certificate }: Pick<GrpcServerOptions, "address" | "certificate">,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, serverCredentials(certificate), (error, port) => {
      if (error === null) return resolve(port);
      const message = `Cannot listen for gRPC on ${address}: ${error.message}`;
      reject(new MaestroError("USAGE", message, { cause: error }));
    });
  });
}
