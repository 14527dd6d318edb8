/**
 * The settings of services: what files say of them, laid over one another, and made whole.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import {
  ATTEMPT_TIMEOUT,
  breakerRule,
  budgetRule,
  healthRule,
  MAX_MESSAGE_SIZE,
  MAX_MESSAGES,
  poolRule,
  retryRule,
} from "./defaults.ts";
import type { Place, SchemaSource, Service } from "./model.ts";
import type { TlsRule } from "./service_rules.ts";
import { nearest } from "./nearest.ts";
import { besideFile } from "./paths.ts";
import { problemAt } from "./problems.ts";
import { isRecord } from "./schema_parts.ts";
import type { WrittenService, WrittenTls } from "./schema_service.ts";
import type { Path, Places } from "./source.ts";

/** What is said of one service, or of all: paths are resolved, nothing is filled in yet. */
export interface Settings {
  readonly written: WrittenService;
  readonly place: Place;
  /** Where `proto` or `descriptor_set` stands. */
  readonly schemaPlace: Place;
  /** The endpoint is written, but wrong: its problem is told. */
  readonly flawed: boolean;
}

/** What a file and the files that it includes say. */
export interface Declared {
  readonly services: ReadonlyMap<string, Settings>;
  readonly defaults: Settings | null;
}

/** The settings that stand at a path of a file. */
export function settingsAt(written: WrittenService, at: Path, places: Places): Settings {
  const beside = (path: string) => besideFile(places.whole.source.file, path);
  const { proto, import_paths, descriptor_set, tls } = written;
  return {
    place: places.key(at),
    flawed: written.endpoint === undefined && meansEndpoint(places.get(at)),
    schemaPlace: places.key([...at, descriptor_set === undefined ? "proto" : "descriptor_set"]),
    written: {
      ...written,
      ...(proto && { proto: proto.map(beside) }),
      ...(import_paths && { import_paths: import_paths.map(beside) }),
      ...(descriptor_set !== undefined && { descriptor_set: beside(descriptor_set) }),
      ...(isRecord(tls) && { tls: tlsBeside(tls, beside) }),
    },
  };
}

function meansEndpoint(raw: unknown): boolean {
  return isRecord(raw) &&
    Object.keys(raw).some((key) => key === "endpoint" || nearest(key, ["endpoint"]) !== null);
}

function tlsBeside(
  tls: Exclude<WrittenTls, boolean>,
  beside: (path: string) => string,
): WrittenTls {
  const { ca, cert, key } = tls;
  return {
    ...tls,
    ...(ca !== undefined && { ca: beside(ca) }),
    ...(cert !== undefined && { cert: beside(cert) }),
    ...(key !== undefined && { key: beside(key) }),
  };
}

/** Lays settings over others: maps are merged key by key, anything else is replaced. */
export function overlay(over: Settings, under: Settings | null | undefined): Settings {
  if (!under) return over;
  const hasSchema = over.written.proto !== undefined || over.written.descriptor_set !== undefined;
  const below: WrittenService = hasSchema
    ? { ...under.written, proto: undefined, descriptor_set: undefined }
    : under.written;
  return {
    written: merge(below, over.written) as WrittenService, // each key is one side's, or both sides' of the same kind
    place: over.place,
    flawed: over.flawed || (over.written.endpoint === undefined && under.flawed),
    schemaPlace: hasSchema ? over.schemaPlace : under.schemaPlace,
  };
}

type Keys = Readonly<Record<string, unknown>>;

function merge(under: Keys, over: Keys): Keys {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const old = merged[key];
    if (value === undefined) continue;
    merged[key] = isRecord(value) && isRecord(old) ? merge(old, value) : value;
  }
  return merged;
}

/** Lays what one file says over what another does. */
export function overlayAll(over: Declared, under: Declared): Declared {
  const services = new Map(under.services);
  for (const [name, settings] of over.services) {
    services.set(name, overlay(settings, services.get(name)));
  }
  const defaults = over.defaults === null ? under.defaults : overlay(over.defaults, under.defaults);
  return { services, defaults };
}

/** A whole service; `null` and a problem where its settings don't make one. */
export function makeService(
  name: string,
  { written, place, schemaPlace, flawed }: Settings,
  problems: Problem[],
): Service | null {
  if (written.endpoint === undefined) {
    const message = `Service "${name}" has no "endpoint": add one, such as "${name}:50051"`;
    if (!flawed) problems.push(problemAt(place, "missing_key", message));
    return null;
  }
  if (written.proto !== undefined && written.descriptor_set !== undefined) {
    const message = 'A service has "proto" or "descriptor_set", not both';
    problems.push(problemAt(schemaPlace, "two_schemas", message));
  }
  return {
    name,
    endpoint: written.endpoint,
    schema: schemaOf(written, schemaPlace),
    protoService: written.proto_service ?? null,
    tls: tlsRule(written.tls),
    metadata: written.metadata ?? {},
    attemptTimeout: written.attempt_timeout ?? ATTEMPT_TIMEOUT,
    retry: retryRule(written.retry),
    budget: budgetRule(written.retry?.budget),
    breaker: breakerRule(written.circuit_breaker),
    pool: poolRule(written.pool),
    rateLimit: written.rate_limit ?? null,
    health: healthRule(written.health),
    loadBalancing: written.load_balancing ?? "pick_first",
    compression: written.compression ?? null,
    maxMessageSize: written.max_message_size ?? MAX_MESSAGE_SIZE,
    maxMessages: written.max_messages ?? MAX_MESSAGES,
    place,
  };
}

function schemaOf(written: WrittenService, place: Place): SchemaSource {
  const { proto, descriptor_set: file, import_paths: importPaths = [] } = written;
  if (file !== undefined) return { kind: "descriptor_set", file, place };
  if (proto !== undefined && proto.length > 0) {
    return { kind: "proto", files: proto, importPaths, place };
  }
  return { kind: "reflection" };
}

function tlsRule(written: WrittenTls | undefined): TlsRule | null {
  if (written === undefined || written === false) return null;
  const { ca, cert, key, server_name: serverName } = written === true ? {} : written;
  return { ca: ca ?? null, cert: cert ?? null, key: key ?? null, serverName: serverName ?? null };
}
