/**
 * Tells a webhook of runs that are parked for an operator, signed as https://www.standardwebhooks.com
 * has it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { systemClock } from "../engine/clock.ts";
import type { Clock } from "../engine/doors.ts";
import type { HearAll, RunOrigin } from "../engine/engine_options.ts";
import type { Parked } from "../engine/still_parked.ts";
import type { Op } from "../machines/facts.ts";
import type { Workflow } from "../workflow/model.ts";
import { readTraceparent } from "./trace_ids.ts";

/** Deliveries of one notification, the first included; with the delays between them about half an hour. */
const ATTEMPTS = 15;

/** Before the second delivery, in milliseconds; doubled before each further one. */
const FIRST_DELAY = 1_000;

/** The longest delay, in milliseconds. */
const LONGEST_DELAY = 300_000;

/** How long the receiver may take to answer, in milliseconds. */
const ANSWER_WITHIN = 10_000;

/** Notifications under way at most: what comes beyond them is only logged. */
const MOST = 1_000;

/** Steps found parked that may wait for their turn at most. */
const MOST_FOUND = 10_000;

/** After these a step waits for no operator any more. */
const OVER: ReadonlySet<string> = new Set(["attention_resolved", "step_cancelled"]);

/** Why something is not delivered any more. */
const STOPPED = "the server is being stopped";

/** Who is told, and how. */
export interface AttentionOptions {
  readonly url: string;
  /** Signs; `whsec_` and base64, or any text. */
  readonly secret: string;
  /** Hears what came of each notification. */
  readonly onOutcome: (outcome: "delivered" | "failed", notification: Notification) => void;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** @default the platform's */
  readonly fetch?: typeof fetch;
}

/** What the log is told of a notification. */
export interface Notification {
  /** The run whose step is parked; a child run's has its parent's before a `/`. */
  readonly runId: string;
  readonly step: string;
  /** How often it was sent. */
  readonly attempts: number;
  /** Why it could not be delivered. */
  readonly error?: string;
}

/** A notification that is to be delivered. */
interface Notice {
  /** The same however often it is sent, also after a restart. */
  readonly id: string;
  readonly body: string;
  readonly runId: string;
  readonly step: string;
  /** Of the step, with what it was for. */
  readonly key: string;
  /** It is not to be sent any more. */
  readonly over: AbortController;
}

/**
 * Notifies of every parked step once it is durable, and of those that are found parked when their runs
 * are taken up: for `EngineOptions.onHappening` and `onStillParked`.
 */
export class AttentionWebhook {
  readonly #options: AttentionOptions;
  readonly #clock: Clock;
  readonly #key: Uint8Array;
  /** By run, and by step with what it was for. */
  readonly #open = new Map<string, Map<string, Notice>>();
  readonly #underWay = new Set<Promise<void>>();
  /** Those that were found are told one after the other: there may be thousands. */
  #found: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  constructor(options: AttentionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#key = keyOf(options.secret);
  }

  /** Hears what happens in any run. */
  readonly onHappening: HearAll = (runId, workflow, event, origin) => {
    if (event.kind === "run_ended") return this.#forget(runId);
    if (OVER.has(event.kind) && "path" in event) return this.#forget(runId, event);
    if (event.kind !== "attention_raised") return;
    const notice = this.#begin(runId, workflow, event, origin, this.#underWay.size >= MOST);
    if (notice === null) return;
    const sending = this.#send(notice).finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  };

  /** Hears of steps that were parked by another process, or before a restart: it may not have told. */
  readonly onStillParked: HearAll = (runId, workflow, event, origin) => {
    if (event.kind !== "attention_raised") return;
    const notice = this.#begin(runId, workflow, event, origin, this.#waiting >= MOST_FOUND);
    if (notice === null) return;
    this.#waiting++;
    this.#found = this.#found.then(() => this.#send(notice)).finally(() => this.#waiting--);
  };

  /** Sends nothing more; what was sent and not taken is told as failed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const notices of this.#open.values()) {
      for (const { over } of notices.values()) over.abort();
    }
    await Promise.all([...this.#underWay, this.#found]);
  }

  /** @returns `null` where nothing is to be sent */
  #begin(
    runId: string,
    workflow: Workflow,
    event: Parked,
    origin: RunOrigin,
    isTooMany: boolean,
  ): Notice | null {
    const { path: step, seq } = event;
    const id = `${runId}/${seq}`;
    const key = keyOfStep(event);
    const of = this.#open.get(runId) ?? new Map<string, Notice>();
    if (of.get(key)?.id === id) return null; // it is on its way
    if (isTooMany || this.#isClosed) {
      const error = this.#isClosed ? STOPPED : "too many wait";
      this.#options.onOutcome("failed", { runId, step, attempts: 0, error });
      return null;
    }
    const body = bodyOf(runId, workflow, event, origin);
    const notice = { id, body, runId, step, key, over: new AbortController() };
    this.#open.set(runId, of.set(key, notice));
    return notice;
  }

  /** A step waits no more, or none of a run. */
  #forget(runId: string, step?: Step): void {
    const of = this.#open.get(runId);
    if (of === undefined) return;
    for (const [key, { over }] of of) {
      if (step !== undefined && key !== keyOfStep(step)) continue;
      over.abort();
      of.delete(key);
    }
    if (of.size === 0) this.#open.delete(runId);
  }

  async #send(notice: Notice): Promise<void> {
    const { runId, step, over: { signal } } = notice;
    let error: string | null = null;
    let attempts = 0;
    while (attempts < ATTEMPTS && !signal.aborted) {
      attempts++;
      error = await this.#deliver(notice);
      if (error === null || signal.aborted) break;
      if (attempts < ATTEMPTS) {
        await this.#pause(Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempts - 1)), signal);
      }
    }
    this.#settle(notice);
    if (attempts === 0 || signal.aborted && !this.#isClosed) return; // nobody has to know any more
    if (error === null) this.#options.onOutcome("delivered", { runId, step, attempts });
    else this.#options.onOutcome("failed", { runId, step, attempts, error });
  }

  #settle(notice: Notice): void {
    const { runId, key } = notice;
    const of = this.#open.get(runId);
    if (of?.get(key) !== notice) return; // another one has its place
    of.delete(key);
    if (of.size === 0) this.#open.delete(runId);
  }

  /** @returns why it was not delivered; `null`: it was */
  async #deliver({ id, body, over }: Notice): Promise<string | null> {
    const { url, fetch: send = fetch } = this.#options;
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(ANSWER_WITHIN)]);
    const timestamp = String(Math.floor(this.#clock.now() / 1000));
    try {
      const response = await send(url, {
        method: "POST",
        body,
        redirect: "manual", // the signed body is for nobody else
        signal,
        headers: {
          "content-type": "application/json",
          "webhook-id": id,
          "webhook-timestamp": timestamp,
          "webhook-signature": `v1,${signatureOf(this.#key, id, timestamp, body)}`,
        },
      });
      await response.body?.cancel();
      return response.ok ? null : `it answered with status ${response.status}`;
    } catch (thrown) {
      if (over.signal.aborted) return STOPPED;
      if (signal.aborted) return `it did not answer within ${ANSWER_WITHIN / 1000} s`;
      return thrown instanceof Error ? thrown.message : String(thrown);
    }
  }

  #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const takeBack = this.#clock.at(this.#clock.now() + milliseconds, done);
      signal.addEventListener("abort", done, { once: true });
      function done() {
        takeBack();
        signal.removeEventListener("abort", done);
        resolve();
      }
    });
  }
}

/** Which step, and what of it. */
interface Step {
  readonly path: string;
  readonly op: Op;
}

function keyOfStep({ path, op }: Step): string {
  return `${op} ${path}`;
}

/** Base64 of the HMAC with SHA-256 over `id.timestamp.body`. */
export function signatureOf(
  key: Uint8Array,
  id: string,
  timestamp: string,
  body: string,
): string {
  return createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
}

/** The key that a secret stands for: the bytes behind `whsec_`, else its text. */
export function keyOf(secret: string): Uint8Array {
  return secret.startsWith("whsec_")
    ? Buffer.from(secret.slice("whsec_".length), "base64")
    : new TextEncoder().encode(secret);
}

/** What is sent: who waits where, and why, without what the service said or was sent. */
function bodyOf(
  runId: string,
  workflow: Workflow,
  { path, op, failure, at }: Parked,
  { correlationId, traceparent }: RunOrigin,
): string {
  return JSON.stringify({
    type: "run.needs_attention",
    timestamp: new Date(at).toISOString(),
    data: {
      run_id: runId,
      root_run_id: runId.split("/", 1)[0],
      correlation_id: correlationId,
      trace_id: readTraceparent(traceparent)?.traceId ?? null,
      workflow: workflow.name,
      version: workflow.version,
      step: path,
      op,
      code: failure.code,
      reason: failure.reason,
      attempts: failure.attempts,
    },
  });
}
