import type { HearAll, RunOrigin } from "../engine/engine_options.ts";
import type { Happening } from "../engine/happening.ts";
import type { Op } from "../machines/facts.ts";
import type { Json } from "../workflow/json.ts";
import type { Workflow } from "../workflow/model.ts";
import { toJson } from "../workflow/value.ts";
import { type Entry, entryOf } from "./entry.ts";
import { targetOf } from "./step_target.ts";
import { readTraceparent } from "./trace_ids.ts";

/** What is logged to; LogTape's loggers fit. */
export interface RunLogger {
  /** Payloads. */
  trace(message: string, properties: Record<string, unknown>): void;
  /** Attempts. */
  debug(message: string, properties: Record<string, unknown>): void;
  /** Starts and ends of runs and steps. */
  info(message: string, properties: Record<string, unknown>): void;
  /** Retries, open circuit breakers, rollbacks. */
  warn(message: string, properties: Record<string, unknown>): void;
  /** Failures. */
  error(message: string, properties: Record<string, unknown>): void;
  /** Whether payloads are wanted. */
  isEnabledFor(level: "trace"): boolean;
}

/** Of how many runs it is remembered when things began: as many may sleep as there is room for. */
const REMEMBERED = 10_000;

/**
 * Logs what happens in runs, for `EngineOptions.onHappening`. Payloads are in records of
 * level `trace` only; what services say about their failures counts as payload.
 *
 * @example
 * ```ts
 * import { getLogger } from "@logtape/logtape";
 * import { callerOf, logHappenings, openEngine } from "@maestro/maestro";
 *
 * const engine = openEngine({
 *   caller: callerOf(() => ({})),
 *   onHappening: logHappenings(getLogger(["my-program", "maestro"])),
 * });
 * await engine.close();
 * ```
 *
 * @param logger such as LogTape's; where its records go is for the program to configure
 * @param remember of how many runs it is known when things began: those heard of longest ago, which
 * mostly sleep, are forgotten first, and have no `duration_ms` of what was under way then
 */
export function logHappenings(logger: RunLogger, remember = REMEMBERED): HearAll {
  /** Those heard of longest ago come first. */
  const logs = new Map<string, RunLog>();
  return (runId, workflow, event, origin) => {
    const log = logs.get(runId) ?? new RunLog(logger, runId, workflow, origin);
    log.hear(event);
    logs.delete(runId);
    if (event.kind === "run_ended") return;
    logs.set(runId, log);
    for (const [oldest] of logs) {
      if (logs.size <= remember) break;
      logs.delete(oldest);
    }
  };
}

/** The log of one run: it remembers when things began, and what each step calls. */
class RunLog {
  readonly #began = new Map<string, number>();
  readonly #context: Record<string, Json>;

  constructor(
    readonly logger: RunLogger,
    runId: string,
    readonly workflow: Workflow,
    { correlationId, traceparent }: RunOrigin,
  ) {
    const trace = readTraceparent(traceparent);
    this.#context = {
      run_id: runId,
      correlation_id: correlationId,
      ...(trace !== null && { trace_id: trace.traceId }),
      workflow: workflow.name,
    };
  }

  hear(event: Happening): void {
    if ("path" in event && event.path === "") return; // the root block is the run, which speaks for itself
    const entry = entryOf(event);
    const fields = {
      ...this.#context,
      ...this.#where(event),
      ...entry.fields,
      ...this.#duration(event),
    };
    this.#write(entry, fields);
    if (entry.payload === undefined || !this.logger.isEnabledFor("trace")) return;
    const payload = Object.entries(entry.payload).map(([name, value]) => [name, toJson(value)]);
    this.#write({ level: "trace", message: `${entry.message}: payload` }, {
      ...fields,
      ...Object.fromEntries(payload),
    });
  }

  #write({ level, message }: Pick<Entry, "level" | "message">, fields: Record<string, Json>): void {
    this.logger[level](message, fields);
  }

  /** Whom the step calls. */
  #where(event: Happening): Record<string, Json> {
    if (!("path" in event)) return {};
    const target = targetOf(this.workflow, event.path, event.op);
    return target === null ? {} : { service: target.service, method: target.method };
  }

  #duration(event: Happening): Record<string, Json> {
    if (!("at" in event)) return {};
    const key = "path" in event ? keyOf(event.path, event.op) : "";
    switch (event.kind) {
      case "run_started":
      case "step_started":
        this.#began.set(key, event.at);
        return {};
      case "attempt_started":
        this.#began.set(`${key}#`, event.at);
        return {};
      case "attempt_ended":
        return this.#since(`${key}#`, event.at);
      case "step_completed":
      case "step_failed":
      case "step_cancelled":
      case "run_ended":
        return this.#since(key, event.at);
      default:
        return {};
    }
  }

  /** Nothing where the beginning was before this process. */
  #since(key: string, at: number): Record<string, Json> {
    const began = this.#began.get(key);
    this.#began.delete(key);
    return began === undefined ? {} : { duration_ms: at - began };
  }
}

function keyOf(path: string, op: Op): string {
  return `${op} ${path}`;
}
