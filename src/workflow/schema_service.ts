/** What `services` and `defaults` may say. @module */
import { readEndpoint } from "./endpoint.ts";
import { z } from "zod";
import type { RateRule } from "./service_rules.ts";
import { either, find, isRecord, leaf, oneOrMany, refuse, shape } from "./schema_parts.ts";
import {
  anyText,
  choice,
  codes,
  duration,
  flag,
  number,
  percentage,
  positive,
  size,
  text,
  whole,
} from "./schema_values.ts";

const backoff = {
  backoff: choice(["exponential", "constant"]).optional()
    .describe("How the delay grows; default exponential"),
  initial_delay: duration().optional().describe("The delay before the first retry; default 500ms"),
  multiplier: number("a number from 1 on", 1, 1000).optional()
    .describe("How many times longer each delay is than the one before; default 2"),
  max_delay: duration().optional().describe("The longest delay; default 10s"),
  jitter: number("a number from 0 to 1", 0, 1).optional()
    .describe("The share of a delay that is random; default 0.5"),
};

/** At most 1,000 tokens: the bound of gRPC's A6. */
const budgetSchema = shape({
  max_tokens: positive("a number above 0 and up to 1000", 1000).optional()
    .describe("What the budget starts with, and its most; default 100"),
  token_ratio: positive("a number above 0").optional()
    .describe("What a success gives back; default 0.1"),
});

/** `retry.budget` as written. */
export type WrittenBudget = z.output<typeof budgetSchema>;

const retry = {
  attempts: whole(1, "it counts every call, so it").optional().describe(
    "How many calls at most, the first included; default 3",
  ),
  ...backoff,
  codes: codes().optional().describe("Codes retried besides UNAVAILABLE and DEADLINE_EXCEEDED"),
};

/** `retry` of a step: the budget is its service's, and `issues.ts` says so. */
export const stepRetrySchema = shape(retry);

/** `retry` of a service. */
export const retrySchema = shape({
  ...retry,
  budget: budgetSchema.optional().describe(
    "How many retries all callers of the service together may cause: a retry needs more than " +
      "half of max_tokens; a retryable failure takes 1, a success gives token_ratio",
  ),
});

/** `retry` as written, durations in milliseconds. */
export type WrittenRetry = z.output<typeof retrySchema>;

/** `saga`. */
export const sagaSchema = shape({
  retry: shape({
    ...backoff,
    initial_delay: backoff.initial_delay.describe("The delay before the first retry; default 1s"),
    max_delay: backoff.max_delay.describe("The longest delay; default 60s"),
  }).optional().describe("How compensations are tried again: without an end, unless give_up_after"),
  give_up_after: duration().optional()
    .describe(
      "When a compensation that keeps failing is parked for someone to look at; default never",
    ),
});

const breakerSchema = shape({
  failure_rate: percentage().optional()
    .describe("The share of failures that opens the breaker, in percent; default 50"),
  min_calls: whole(1).optional()
    .describe("Calls in the window before a rate counts; default 10"),
  window: either<number | { readonly calls: number }>(
    'a duration such as "60s", or a whole number of calls',
    {
      fits: (value) => typeof value === "number",
      schema: whole(1).transform((calls) => ({ calls })),
    },
    { fits: (value) => typeof value !== "number", schema: duration() },
  ).optional().describe("What rates are taken over: a time, or a number of calls; default 60s"),
  open_for: duration().optional().describe("How long it stays open the first time; default 15s"),
  max_open_for: duration().optional().describe("The longest it stays open; default 2m"),
  half_open_calls: whole(1).optional()
    .describe("How many trial calls decide whether it closes; default 1"),
  slow_call: duration().optional()
    .describe("A call at least this slow counts as slow; default none does"),
  slow_call_rate: percentage().optional()
    .describe("The share of slow calls that opens the breaker, in percent; default 100"),
  failure_codes: codes().optional().describe("The codes that are failures, instead of the usual"),
  on_open: choice(["wait", "fail"]).optional()
    .describe("What a call does while it is open: wait (default) or fail as CIRCUIT_OPEN"),
  scope: choice(["service", "method"]).optional()
    .describe("One breaker for the service (default), or one for each method"),
});

/** `circuit_breaker` as written; a bool turns it on or off. */
export type WrittenBreaker = boolean | z.output<typeof breakerSchema>;

const tlsSchema = shape({
  ca: text("a file's path").optional().describe("A PEM file of the authorities to trust"),
  cert: text("a file's path").optional()
    .describe("A PEM file of this side's certificate, for mutual TLS"),
  key: text("a file's path").optional().describe("A PEM file of the certificate's key"),
  server_name: text().optional()
    .describe("The name that the server's certificate must carry; default the endpoint's host"),
}).superRefine((tls, context) => {
  if ((tls.cert === undefined) === (tls.key === undefined)) return;
  const [there, missing] = tls.cert === undefined ? ["key", "cert"] : ["cert", "key"];
  find(context, {
    kind: "told",
    code: "incomplete_tls",
    message: `"${there}" needs "${missing}" beside it: mutual TLS takes both`,
  }, [there]);
});

/** `tls` as written. */
export type WrittenTls = boolean | z.output<typeof tlsSchema>;

const OWN_METADATA = /^(idempotency-key|maestro-.*|grpc-.*|content-type|te|host)$/;

/** What HTTP/2 forbids, or answers by ending the connection with every call on it (RFC 9113 §8.2.2). */
const HTTP_METADATA =
  /^(connection|content-length|http2-settings|keep-alive|proxy-connection|transfer-encoding|upgrade)$/;

/** `metadata`, of a service or a step. */
export const metadataSchema: z.ZodType<Record<string, string>> = z.record(z.string(), anyText())
  .transform((written, context) => {
    const metadata: Record<string, string> = {};
    for (const [written_name, value] of Object.entries(written)) {
      const name = written_name.toLowerCase(); // as HTTP/2 has it
      const message = !/^[a-z0-9_.-]+$/.test(name)
        ? `Cannot use "${written_name}" as metadata: a name is made of a to z, 0 to 9, _, - and .`
        : OWN_METADATA.test(name)
        ? `Cannot set "${written_name}" as metadata: it is set for every call`
        : HTTP_METADATA.test(name)
        ? `Cannot set "${written_name}" as metadata: it is about the connection, and HTTP/2 forbids it`
        : Object.hasOwn(metadata, name)
        ? `"${written_name}" is written twice: upper and lower case are the same in metadata`
        : null;
      if (message === null) metadata[name] = value;
      else find(context, { kind: "told", code: "bad_metadata", message }, [written_name]);
    }
    return metadata;
  });

const endpoint = leaf(
  { type: "string", minLength: 1, examples: ["payments:50051", "dns:///payments:50051"] },
  (value) => {
    const want = 'an address such as "payments:50051", "dns:///…", "ipv4:…" or "unix:/path"';
    if (typeof value !== "string" || value.trim() === "") return refuse(want);
    if (value.includes("{{")) return value;
    if (/^(dns|ipv4|ipv6|unix):/.test(value)) {
      const read = readEndpoint(value);
      return "advice" in read ? refuse(want, `: ${read.advice}`) : value;
    }
    const [, scheme, rest = ""] = /^([a-z]+):\/\/(.*)$/i.exec(value) ?? [];
    if (scheme !== undefined) {
      if (!/^(https?|grpcs?)$/i.test(scheme)) return refuse(want);
      const tls = /s$/i.test(scheme) ? ' and "tls: true"' : "";
      return refuse(want, `: write "${rest.replace(/\/.*$/, "")}"${tls}`);
    }
    const [, port] = /^(?:[^\s:/[\]]+|\[[0-9a-f:.%]+\]):(\d{1,5})$/i.exec(value) ?? [];
    if (port === undefined) {
      return refuse(want, /^[^\s:/]+$/.test(value) ? `: add a port, "${value}:50051"` : "");
    }
    return Number(port) >= 1 && Number(port) <= 65535
      ? value
      : refuse("an address with a port from 1 to 65535");
  },
);

/** Milliseconds by the letter of a rate's unit. */
const RATE_UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000 };

const rate = leaf<RateRule>(
  { type: "string", pattern: "^0*[1-9][0-9]*/[sm]$", examples: ["100/s"] },
  (value) => {
    const [, calls, unit = ""] = typeof value === "string"
      ? /^(0*[1-9]\d{0,8})\/([sm])$/.exec(value) ?? []
      : [];
    const per = RATE_UNITS[unit];
    if (calls !== undefined && per !== undefined) return { calls: Number(calls), per };
    const meant = guessRate(value);
    return refuse(
      'calls a second or a minute, such as "100/s" or "6000/m"',
      meant === null ? "" : `: write "${meant}"`,
    );
  },
);

/** What a wrong rate was probably meant to be: `100`, `100/min`, `1.5/s`, `120/h`. */
function guessRate(value: unknown): string | null {
  const [, number, unit = "s"] =
    /^\s*(\d+(?:\.\d+)?)\s*(?:\/\s*(s|m|h)[a-z]*|rps|qps)?\s*$/i.exec(String(value)) ?? [];
  const calls = Number(number);
  if (!(calls > 0) || calls >= 1e9) return null;
  const letter = unit.toLowerCase();
  if (letter !== "h" && Number.isInteger(calls)) return `${calls}/${letter}`;
  const aMinute = letter === "s" ? calls * 60 : letter === "h" ? calls / 60 : NaN;
  return Number.isInteger(aMinute) ? `${aMinute}/m` : null;
}

const poolSchema = shape({
  channels: whole(1).optional().describe("Connections; default 1"),
  max_concurrent: whole(1).optional()
    .describe("Calls at the same time, first come, first served; default 100"),
});

/** `pool` as written. */
export type WrittenPool = z.output<typeof poolSchema>;

const healthSchema = either<boolean | { readonly service: string }>(
  "true, false, or {service: …}",
  { fits: (value) => typeof value === "boolean", schema: flag() },
  { fits: isRecord, schema: shape({ service: text().describe("The name to ask for") }) },
);

/** `health` as written. */
export type WrittenHealth = z.output<typeof healthSchema>;

/** One service, or what all of them have by default. Everything may be left to the defaults. */
export const serviceSchema = shape({
  type: choice(["grpc"]).optional().describe("The protocol; grpc is the only one, and the default"),
  endpoint: endpoint.optional().describe(
    "host:port, dns:///…, ipv4:a:1,b:1 or unix:/path; may use {{ .env.NAME }} and {{ .secrets.NAME }}",
  ),
  proto: oneOrMany(text("a file's path")).optional()
    .describe(
      "The service's .proto files, relative to this file; with neither these nor " +
        "descriptor_set, the server is asked (reflection)",
    ),
  import_paths: oneOrMany(text("a folder's path")).optional()
    .describe("Where the imports of .proto files are looked for, relative to this file"),
  descriptor_set: text("a file's path").optional()
    .describe("A compiled descriptor set, relative to this file"),
  proto_service: text("a proto service's name").optional()
    .describe("The proto service's full name, where a method's name alone would be ambiguous"),
  tls: either<WrittenTls>(
    "true, false, or a map with ca, cert, key and server_name",
    { fits: (value) => typeof value === "boolean", schema: flag() },
    { fits: isRecord, schema: tlsSchema },
  ).optional().describe("true: TLS with the system's authorities; default plain text"),
  metadata: metadataSchema.optional().describe("Sent with every call; values may hold {{ … }}"),
  attempt_timeout: duration().optional().describe("How long one call may take; default 30s"),
  retry: retrySchema.optional()
    .describe("How calls are tried again; left out: they aren't. {} takes every default"),
  circuit_breaker: either<WrittenBreaker>(
    "true, false, or a map of its settings",
    { fits: (value) => typeof value === "boolean", schema: flag() },
    { fits: isRecord, schema: breakerSchema },
  ).optional().describe("When to stop calling a service that fails; on by default, false: off"),
  pool: poolSchema.optional().describe(
    "How many calls go out at a time, over how many connections",
  ),
  rate_limit: rate.optional().describe(
    "How many calls may begin in any second (n/s) or minute (n/m); further ones queue",
  ),
  health: healthSchema.optional().describe(
    "Watch grpc.health.v1: a server that is not serving opens the breaker; default false",
  ),
  load_balancing: choice(["pick_first", "round_robin"]).optional()
    .describe("Over the endpoint's addresses; default pick_first"),
  compression: choice(["gzip"]).optional().describe("Of requests; default none"),
  max_message_size: size().optional().describe("Of requests and of responses; default 4MiB"),
  max_messages: whole(1).optional()
    .describe("The most messages that a stream may answer with; default 10000"),
});

/** A service or the defaults as written, durations in milliseconds. */
export type WrittenService = z.output<typeof serviceSchema>;
