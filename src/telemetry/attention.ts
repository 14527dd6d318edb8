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
import type { Fact } from "../machines/facts.ts";
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

/** Notifies of every parked step once it is durable; for `EngineOptions.onHappening`. */
export class AttentionWebhook {
  readonly #options: AttentionOptions;
  readonly #clock: Clock;
  readonly #key: Uint8Array;
  readonly #stop = new AbortController();
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: AttentionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#key = keyOf(options.secret);
  }

  /** Hears what happens in any run. */
  readonly onHappening: HearAll = (runId, workflow, event, origin) => {
    if (event.kind !== "attention_raised") return;
    const notification = { runId, step: event.path, attempts: 0 };
    if (this.#underWay.size >= MOST || this.#stop.signal.aborted) {
      const error = this.#stop.signal.aborted ? "the server is being stopped" : "too many wait";
      return this.#options.onOutcome("failed", { ...notification, error });
    }
    const sending = this.#send(
      bodyOf(runId, workflow, event, origin),
      `${runId}/${event.seq}`,
      notification,
    )
      .finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  };

  /** Sends nothing more; what was not delivered is told as failed. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#underWay);
  }

  async #send(body: string, id: string, { runId, step }: Notification): Promise<void> {
    const { onOutcome } = this.#options;
    let error: string | null = null;
    let attempts = 0;
    while (attempts < ATTEMPTS && !this.#stop.signal.aborted) {
      attempts++;
      error = await this.#deliver(body, id);
      if (error === null) return onOutcome("delivered", { runId, step, attempts });
      if (attempts < ATTEMPTS) {
        await this.#pause(Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempts - 1)));
      }
    }
    onOutcome("failed", { runId, step, attempts, error: error ?? "the server is being stopped" });
  }

  /** @returns why it was not delivered; `null`: it was */
  async #deliver(body: string, id: string): Promise<string | null> {
    const { url, fetch: send = fetch } = this.#options;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ANSWER_WITHIN)]);
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
      if (this.#stop.signal.aborted) return "the server is being stopped";
      if (signal.aborted) return `it did not answer within ${ANSWER_WITHIN / 1000} s`;
      return thrown instanceof Error ? thrown.message : String(thrown);
    }
  }

  #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#stop;
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
  { path, op, failure, at }: Extract<Fact, { readonly kind: "attention_raised" }>,
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
