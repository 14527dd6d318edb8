// From services to a running program: arguments, health, reflection, ports and signals.

import process from "node:process";
import { parseArgs } from "node:util";
import { Server } from "@grpc/grpc-js";
import { addHealth } from "./health.mjs";
import { addReflection } from "./reflection.mjs";
import { serviceDefinition } from "./definition.mjs";
import { tlsCredentials, tlsOptions } from "./tls.mjs";

/** How long calls in flight may take to end once the program was told to stop. */
const GRACE_MS = 500;

/**
 * @param {string} defaultPort
 * @returns {{ports: number[], directory: string | undefined, credentials: import("@grpc/grpc-js").ServerCredentials}}
 *   `--port`, which may be given more than once, `--data`, and what comes of `--tls-…`
 */
export function readArguments(defaultPort) {
  const { values } = parseArgs({
    options: {
      port: { type: "string", multiple: true, default: [defaultPort] },
      data: { type: "string" },
      ...tlsOptions,
    },
  });
  return {
    ports: values.port.map(Number),
    directory: values.data,
    credentials: tlsCredentials(values),
  };
}

/**
 * Serves until SIGTERM or SIGINT.
 *
 * @param {object} options
 * @param {number[]} options.ports on 127.0.0.1; 0 is any free one
 * @param {import("@grpc/grpc-js").ServerCredentials} options.credentials
 * @param {import("./streams.mjs").OpenStreams} options.streams is told of the services' streams
 * @param {[import("@bufbuild/protobuf").DescService, import("@grpc/grpc-js").UntypedServiceImplementation][]} options.services
 * @param {() => void} options.close called once nothing is served any more
 */
export async function serve({ ports, credentials, streams, services, close }) {
  const server = new Server();
  for (const [service, handlers] of services) {
    server.addService(serviceDefinition(service), streams.watch(service, handlers));
  }
  const names = services.map(([service]) => service.typeName);
  const endWatches = addHealth(server, names);
  addReflection(server, [...names, "grpc.health.v1.Health"]);

  for (const port of ports) {
    console.log(`listening 127.0.0.1:${await bind(server, port, credentials)}`);
  }

  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    endWatches();
    const impatience = setTimeout(() => server.forceShutdown(), GRACE_MS);
    server.tryShutdown(() => {
      clearTimeout(impatience);
      close();
      process.exit(0);
    });
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

function bind(server, port, credentials) {
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
}
