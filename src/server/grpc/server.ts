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
import type { Address, ServerCertificate } from "../http/listen.ts";
import type { Operations } from "../operations.ts";
import { type Places, streamPlaces } from "../places.ts";
import { acceptConnections } from "./connections.ts";
import { Door, type DoorOptions } from "./door.ts";
import { Health } from "./health.ts";
import { addReflection, REFLECTIONS } from "./reflection.ts";
import { addService } from "./rpc.ts";
import { runsService } from "./runs.ts";
import { servicesService } from "./services.ts";
import { type StreamLimits, Streams } from "./streams.ts";
import { workflowsService } from "./workflows.ts";

/** How a gRPC server is started. */
export interface GrpcServerOptions extends StreamLimits, Omit<DoorOptions, "open"> {
  /** What can be asked of it. */
  readonly operations: Operations;
  /** Where it listens; port 0: a free one. */
  readonly address: Address;
  /** `null`: in plain text. */
  readonly certificate: ServerCertificate | null;
  /** Room for streams. @default for 1,000 */
  readonly places?: Places;
  /** How many connections there may be. @default as many as streams, and 1,000 */
  readonly maxConnections?: number;
  /**
   * How often a connection that says nothing is asked for a sign of life, in milliseconds: one that gives
   * none, for twice that time, is closed. @default 60 seconds
   */
  readonly signOfLifeEvery?: number;
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

/** How often a connection that says nothing is asked for a sign of life, in milliseconds: watches may be silent for days. */
const SIGN_OF_LIFE_EVERY = 60_000;

/** How many calls may be open on a connection. */
const MOST_CALLS = 100;

/** How long a connection may be without a call, in milliseconds. */
const IDLE_FOR = 300_000;

/** How many connections there may be besides one for each stream. */
const MORE_CONNECTIONS = 1_000;

/** Starts the server. @throws {MaestroError} `USAGE` where it can't listen */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { operations, onDefect, maxMessageSize = 4 * 1024 * 1024 } = options;
  const { places = streamPlaces(), maxConnections = places.most + MORE_CONNECTIONS } = options;
  const { signOfLifeEvery = SIGN_OF_LIFE_EVERY } = options;
  const open = [HealthDescriptor, ...REFLECTIONS].map(({ typeName }) => typeName);
  const door = new Door({ ...options, open: new Set(open) });
  const server = new Server({
    "grpc.max_receive_message_length": maxMessageSize,
    "grpc.max_concurrent_streams": MOST_CALLS,
    "grpc.max_connection_idle_ms": IDLE_FOR,
    "grpc.keepalive_time_ms": signOfLifeEvery,
    interceptors: [door.interceptor],
  });
  const streams = new Streams(places, options);
  const services = [Runs, Workflows, Services];
  const health = new Health(services.map(({ typeName }) => typeName));
  const rpc = { door, streams, onDefect };
  addService(server, Runs, runsService(operations), rpc);
  addService(server, Workflows, workflowsService(operations), rpc);
  addService(server, Services, servicesService(operations), rpc);
  // Who shows no token takes no stream away from those who do.
  const strangers = new Streams(streamPlaces(places.most), options);
  addService(server, HealthDescriptor, health.methods(), { ...rpc, streams: strangers });
  addReflection(server, [...services, HealthDescriptor], { ...rpc, streams: strangers });
  const connections = await acceptConnections(server, {
    ...options,
    most: maxConnections,
    silentFor: 2 * signOfLifeEvery,
  });
  return {
    port: connections.port,
    get streams() {
      return streams.size + strangers.size;
    },
    setServing: (isServing) => health.set(isServing),
    shutdown() {
      health.set(false);
      connections.close();
      streams.close();
      strangers.close();
      return new Promise((resolve) => server.tryShutdown(() => resolve()));
    },
  };
}
