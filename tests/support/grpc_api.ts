/**
 * A server with Maestro's gRPC API over runs in this process, and clients of it.
 *
 * @module
 */
import { MaestroError } from "../../src/errors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { checkWorkflow } from "../../src/library/check.ts";
import { callerOf, callFailure } from "../../src/library/fake.ts";
import { EngineOperations } from "../../src/server/engine_operations.ts";
import {
  type GrpcServer,
  type GrpcServerOptions,
  startGrpcServer,
} from "../../src/server/grpc/server.ts";
import type { Caller, Operations } from "../../src/server/operations.ts";
import { WorkflowFolder } from "../../src/server/workflow_folder.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { ApiClient } from "./api_client.ts";
import { tempFiles } from "./temp_files.ts";

/** Waits for the signal `go`, and gives back what it carries. */
const GREET = `
name: greet
version: "1.0"
description: Waits for a word.
input: { type: object, properties: { name: { type: string } }, additionalProperties: false }
steps:
  - id: pause
    await_signal: go
output: "{{ .pause }}"
`;

/** Past its pivot it only goes forward: it is parked when the carrier refuses. */
const SHIP = `
name: ship
services:
  shop: { endpoint: "127.0.0.1:1" }
steps:
  - { id: charge, service: shop, method: Charge, pivot: true, input: {} }
  - { id: label, service: shop, method: Label, input: { to: nobody } }
`;

const BROKEN = `
name: broken
steps: []
`;

/** Everybody's tokens. */
const TOKENS: Readonly<Record<string, Caller>> = {
  "look": { name: "vera", role: "viewer" },
  "act": { name: "otto", role: "operator" },
  "rule": { name: "ada", role: "admin" },
};

/** A running server. */
export interface ApiServer extends AsyncDisposable {
  readonly grpc: GrpcServer;
  readonly operations: Operations;
  readonly defects: readonly unknown[];
  /**
   * A client of its own connection.
   *
   * @param token default: the admin's; `null`: none
   * @param port default: the server's own
   */
  client(token?: string | null, port?: number): ApiClient;
}

/** Starts a server over a few workflows. */
export async function startApiServer(
  options: Partial<GrpcServerOptions> & {
    /** Stands in front of the operations. */
    readonly wrap?: (operations: Operations) => Operations;
    /** Whether tokens are known, as of now. @default they are */
    readonly isKnown?: () => boolean;
  } = {},
): Promise<ApiServer> {
  const files = await tempFiles({ "greet.yaml": GREET, "ship.yaml": SHIP, "broken.yaml": BROKEN });
  const workflows = await WorkflowFolder.open({ folder: files.path("."), check: checkWorkflow });
  const journal = memoryJournal();
  let wake = () => {};
  const engine = new Engine({
    journal,
    caller: callerOf(({ method, input }) => {
      if (method === "Label" && JSON.stringify(input).includes("nobody")) {
        return callFailure("INVALID_ARGUMENT", "Nobody lives there");
      }
      return {};
    }),
    onHappening: () => wake(),
    onRest: () => wake(),
  });
  const own = new EngineOperations({ engine, journal, workflows });
  wake = () => own.wake();
  const operations = options.wrap?.(own) ?? own;
  const defects: unknown[] = [];
  const server = await startGrpcServer({
    address: { hostname: "127.0.0.1", port: 0 },
    certificate: null,
    authenticate: (authorization) => {
      const known = TOKENS[authorization?.replace("Bearer ", "") ?? ""];
      if (known !== undefined && (options.isKnown?.() ?? true)) return known;
      throw new MaestroError("UNAUTHENTICATED", "Who are you?");
    },
    onDefect: (error) => defects.push(error),
    operations,
    ...options,
  });
  const clients: ApiClient[] = [];
  return {
    grpc: server,
    operations,
    defects,
    client(token = "rule", port = server.port) {
      const client = new ApiClient(`127.0.0.1:${port}`, token);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await server.shutdown();
      own.close();
      workflows.close();
      await engine.close();
      await files[Symbol.asyncDispose]();
    },
  };
}
