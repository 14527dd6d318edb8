import type { ServiceError } from "@grpc/grpc-js";
import { type Target, Unreachable } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import { codeName } from "./codes.ts";
import { type Connection, isConnected } from "./pool.ts";
import type { LoadedSchema } from "./schema_cache.ts";
import { buildSchema } from "./schema.ts";
import { NoReflection, reflectFiles } from "./schema_reflection.ts";
import { explainTls } from "./tls_doubts.ts";
import { explainTransport } from "./transport_message.ts";

/** A server is given at most this long to describe itself, in milliseconds. */
const PATIENCE = 5_000;

/** Codes that say that a server can't be asked now, and nothing about whether it could be. */
const TRANSIENT: ReadonlySet<string> = new Set([
  "CANCELLED",
  "DEADLINE_EXCEEDED",
  "UNAVAILABLE",
]);

/** grpc-js's words for an answer that is not the message it should be. */
const GARBAGE = /^Response message parsing error/;

const REMEDY = 'give "proto" or "descriptor_set" for it, or turn reflection on in the server';

const LARGER = 'raise it, or give "proto" or "descriptor_set" for the service';

/**
 * Asks a service for its schema by server reflection.
 *
 * @throws {Unreachable} where it does not answer
 * @throws {MaestroError} `SCHEMA_UNAVAILABLE`, where it has no reflection, refuses, or describes itself badly
 */
export async function reflectSchema(
  connection: Connection,
  { service, endpoint: reached, shown: endpoint = reached, metadata }: Target,
): Promise<LoadedSchema> {
  const timeout = Math.min(service.attemptTimeout, PATIENCE);
  const who = `"${service.name}" at ${endpoint}`;
  const sent = await metadata?.();
  try {
    const files = await reflectFiles(connection, Date.now() + timeout, sent);
    return { schema: buildSchema(files, `the reflection of ${who}`), files: null };
  } catch (error) {
    if (error instanceof MaestroError) throw error;
    if (error instanceof NoReflection) {
      throw unavailable(
        `Cannot ask ${who} for its schema: it has no server reflection; ${REMEDY}`,
        error,
      );
    }
    const { code: number, details } = error as Partial<ServiceError>;
    if (number === undefined || details === undefined) {
      const reason = error instanceof Error ? error.message : String(error);
      throw unavailable(`Cannot understand the reflection of ${who}: ${reason}; ${REMEDY}`, error);
    }
    const { maxMessageSize } = service;
    const tls = service.tls !== null;
    const where = { service: service.name, endpoint, tls, timeout, maxMessageSize };
    const connected = isConnected(connection);
    const transport = explainTransport(details, where, { neverLeft: !connected, connected });
    const code = transport?.code ?? codeName(number);
    // A server that is exhausted, and not an answer that is too large.
    const busy = code === "RESOURCE_EXHAUSTED" && transport === undefined;
    if (!TRANSIENT.has(code) && !busy) {
      const reason = GARBAGE.test(details)
        ? "it answered with data that is no reflection response"
        : transport?.message.replace(who, "it") ?? (details === "" ? code : `${code}: ${details}`);
      const remedy = reason.includes('"max_message_size"') ? LARGER : REMEDY;
      throw unavailable(`Cannot ask ${who} for its schema: ${reason}; ${remedy}`, error);
    }
    const message = transport?.message ?? (details || `"${service.name}" answered ${code}`);
    // Nothing of the call that needs the schema has left.
    const failure = await explainTls(connection, { code, message, outcome: "not_sent" });
    throw new Unreachable(failure, { cause: error });
  }
}

function unavailable(message: string, cause: unknown): MaestroError {
  return new MaestroError("SCHEMA_UNAVAILABLE", message, { cause });
}
