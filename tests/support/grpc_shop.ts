/**
 * The shop of tests/support/protos, called without asking a server for its schema.
 *
 * @module
 */
import type { Answer, CallOptions, Target } from "../../src/engine/doors.ts";
import { findMethod } from "../../src/grpc/methods.ts";
import type { ConnectionPool } from "../../src/grpc/pool.ts";
import { ServiceMethod } from "../../src/grpc/service_method.ts";
import type { Service } from "../../src/workflow/model.ts";
import type { Value } from "../../src/workflow/value.ts";
import { PROTOS, shopSchema } from "./grpc_server.ts";

/** Where the shop's schema is. */
export const SHOP: Service["schema"] = {
  kind: "proto",
  files: [`${PROTOS}/acme/shop.proto`],
  importPaths: [PROTOS],
  place: { file: "test.yaml", line: 1, column: 1 },
};

/** `Shop/Buy` over a pool of the test's own. */
export async function buyBy(
  pool: ConnectionPool,
  target: Target,
): Promise<(input?: Value, options?: Partial<CallOptions>) => Promise<Answer>> {
  const schema = await shopSchema();
  const found = findMethod(schema, target.service, "Shop/Buy");
  const method = new ServiceMethod(pool, target, schema, found);
  return (input = {}, options = {}) =>
    method.call(method.encode(input), {
      metadata: {},
      timeout: 30_000,
      maxMessages: 10_000,
      signal: new AbortController().signal,
      ...options,
    });
}
