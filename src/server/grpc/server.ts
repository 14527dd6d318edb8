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
import type { Address, ServerCertificate } from "../http/listen.ts";
import type { Caller, Operations } from "../operations.ts";
import { serverCredentials } from "./credentials.ts";
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
  /** Where it listens; port 0: a free one. */
  readonly address: Address;
  /** `null`: in plain text. */
  readonly certificate: ServerCertificate | null;
  /** Who asks, by the `authorization` that came with a call. Health and reflection are open to all. */
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
  /** Takes no more calls, ends the watches, and resolves when the other calls have ended. */
  shutdown(): Promise<void>;
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
  const strangers = new Streams(options); // who shows no token takes no watch away from those who do
  addService(server, HealthDescriptor, health.methods(), {
    ...rpc,
    streams: strangers,
    authenticate: () => ANYBODY,
  });
  addReflection(server, [...services, HealthDescriptor]);
  const port = await listen(server, options);
  return {
    port,
    get streams() {
      return streams.size + strangers.size;
    },
    setServing: (isServing) => health.set(isServing),
    shutdown() {
      health.set(false);
      streams.close();
      strangers.close();
      return new Promise((resolve) => server.tryShutdown(() => resolve()));
    },
  };
}

function listen(
  server: Server,
  { address, certificate }: Pick<GrpcServerOptions, "address" | "certificate">,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = address;
    const where = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
    server.bindAsync(where, serverCredentials(certificate), (error, bound) => {
      if (error === null) return resolve(bound);
      const message = `Cannot listen for gRPC at ${where}: ${error.message}`;
      reject(new MaestroError("USAGE", message, { cause: error }));
    });
  });
}
