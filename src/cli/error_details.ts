/**
 * What a service says about a failure besides its message, for people: `google.rpc.Status` details.
 *
 * @module
 */
import { formatDuration } from "../workflow/durations.ts";
import type { Json } from "../workflow/json.ts";
import { printable } from "./text.ts";

/** Of what one detail lists, more than this is counted, and not told. */
const TOLD = 8;

/** A detail, or a part of one; it came over the wire, so anything may be missing. */
interface Fields {
  readonly [name: string]: Json;
}

/**
 * What each type comes to. A `DebugInfo` is left out: it is for the service's own people, who find it
 * with `--output json`. So is what is of a service's own type.
 */
const LINES: Readonly<Record<string, (detail: Fields) => readonly string[]>> = {
  "google.rpc.LocalizedMessage": (detail) => [
    said(detail, "message") + said(detail, "locale", " (", ")"),
  ],
  "google.rpc.BadRequest": (detail) =>
    listOf(detail, "field_violations").map((violation) =>
      said(violation, "field", "Field ") + said(violation, "description", ": ") +
      said(violation, "reason", " (", ")")
    ),
  "google.rpc.PreconditionFailure": (detail) =>
    listOf(detail, "violations").map((violation) =>
      "Precondition" + said(violation, "type", " ") + said(violation, "subject", " of ") +
      said(violation, "description", ": ")
    ),
  "google.rpc.QuotaFailure": (detail) =>
    listOf(detail, "violations").map((violation) =>
      "Quota" + said(violation, "quota_id", " ") + said(violation, "subject", " of ") +
      said(violation, "description", ": ")
    ),
  "google.rpc.ResourceInfo": (detail) => [
    "Resource" + said(detail, "resource_type", " ") + said(detail, "resource_name", " ") +
    said(detail, "owner", " of ") + said(detail, "description", ": "),
  ],
  "google.rpc.RequestInfo": (detail) => [said(detail, "request_id", "It knows the request as ")],
  "google.rpc.RetryInfo": (detail) => {
    const seconds = Number(said(detail, "retry_delay").replace(/s$/, ""));
    return seconds > 0
      ? [`It asks to be left alone for ${formatDuration(Math.ceil(seconds * 1_000))}`]
      : [];
  },
  "google.rpc.Help": (detail) =>
    listOf(detail, "links").map((link) => said(link, "description", "", ": ") + said(link, "url")),
};

/** A line for each thing that a reader can do something about, in the order in which they came. */
export function detailLines(details: readonly Json[]): string[] {
  return details.flatMap((detail) => {
    if (!isFields(detail)) return [];
    const lines = LINES[said(detail, "@type").replace(/^.*\//, "")]?.(detail) ?? [];
    const told = lines.map((line) => printable(line).trim()).filter((line) => line !== "");
    const more = told.length - TOLD;
    return more > 0 ? [...told.slice(0, TOLD), `and ${more} more`] : told;
  });
}

/** A field's text between other text; nothing where it is empty. */
function said(fields: Fields, name: string, before = "", after = ""): string {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? before + value + after : "";
}

function listOf(fields: Fields, name: string): readonly Fields[] {
  const list = fields[name];
  return Array.isArray(list) ? list.filter(isFields) : [];
}

function isFields(value: Json): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
