// grpc.health.v1: a program is healthy from when it listens until it is told to stop.

import { status } from "@grpc/grpc-js";
import { service } from "./descriptors.mjs";
import { serviceDefinition, unary } from "./definition.mjs";
import { rpcError } from "./rpc_error.mjs";

const health = service("grpc.health.v1.Health");
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

/**
 * @param {import("@grpc/grpc-js").Server} server
 * @param {string[]} hosted full names of the services to tell about
 * @returns {() => void} says NOT_SERVING to who watches, and ends the watching
 */
export function addHealth(server, hosted) {
  const known = new Set(["", ...hosted]);
  const watchers = new Set();

  server.addService(serviceDefinition(health), {
    check: unary((request) => {
      if (known.has(request.service)) return { status: SERVING };
      throw rpcError(status.NOT_FOUND, `Cannot find service: ${request.service}`);
    }),
    list: unary(() => ({
      statuses: Object.fromEntries([...known].map((name) => [name, { status: SERVING }])),
    })),
    watch(call) {
      call.write({ status: known.has(call.request.service) ? SERVING : SERVICE_UNKNOWN });
      watchers.add(call);
      call.on("cancelled", () => watchers.delete(call));
    },
  });

  return () => {
    for (const call of watchers) {
      call.write({ status: NOT_SERVING });
      call.end();
    }
    watchers.clear();
  };
}
