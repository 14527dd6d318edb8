import type { EngineOptions } from "../engine/engine_options.ts";
import type { Json } from "../workflow/json.ts";

type Inspected = Parameters<NonNullable<EngineOptions["inspect"]>>[0];

/**
 * An event of XState's inspection protocol as one line of JSON. Of events and snapshots it shows
 * what they are, not what they carry: no payload of the run is in it.
 */
export function inspectionLine(inspected: Inspected, now: number): string {
  const { type, rootId, actorRef } = inspected;
  const line: Record<string, Json> = {
    type,
    time: new Date(now).toISOString(),
    rootId,
    sessionId: actorRef.sessionId,
  };
  const named = actorRef as { readonly id?: unknown; readonly systemId?: unknown };
  if (typeof named.id === "string") line["id"] = named.id;
  if (typeof named.systemId === "string") line["systemId"] = named.systemId;
  if ("sourceRef" in inspected) line["sourceId"] = inspected.sourceRef?.sessionId ?? null;
  if ("event" in inspected) line["event"] = scalarsOf(inspected.event);
  if ("snapshot" in inspected) line["snapshot"] = snapshotOf(inspected.snapshot);
  if ("action" in inspected) line["action"] = { type: inspected.action.type };
  return `${JSON.stringify(line)}\n`;
}

const SHOWN: ReadonlySet<string> = new Set([
  "type",
  "path",
  "until",
  "at",
  "duration",
  "permit",
  "status",
  "pivot",
]);

function scalarsOf(event: Readonly<Record<string, unknown>>): Json {
  return Object.fromEntries(
    Object.entries(event).flatMap(([name, value]) =>
      SHOWN.has(name) && isScalar(value) ? [[name, value]] : []
    ),
  );
}

function snapshotOf(snapshot: unknown): Json {
  const { status, value } = snapshot as { readonly status?: string; readonly value?: unknown };
  return { status: status ?? "active", ...(value !== undefined && { value: value as Json }) };
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}
