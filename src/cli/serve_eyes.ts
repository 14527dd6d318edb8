/**
 * What `serve` has for those who watch over it: telemetry, and a webhook about parked runs.
 *
 * @module
 */
import type { HearAll } from "../engine/engine_options.ts";
import type { ScheduledMoment } from "../engine/scheduler.ts";
import { MaestroError } from "../errors.ts";
import { environment } from "../library/secrets.ts";
import { AttentionWebhook, type Notification } from "../telemetry/attention.ts";
import type { RunLogger } from "../telemetry/run_log.ts";
import type { SecretMask } from "../telemetry/secret_mask.ts";
import { openTelemetry, type Telemetry } from "../telemetry/telemetry.ts";
import { readBytes } from "./read_file.ts";
import { VERSION } from "./version.ts";

/** The options about the webhook. */
export interface AttentionFlags {
  readonly onAttention?: string | undefined;
  readonly onAttentionSecret?: string | undefined;
}

/** The largest file of a secret, in bytes. */
const MAX_SECRET = 4096;

/** How soon the same problem is told again, in milliseconds. */
const SAME_AGAIN = 60_000;

/** Watches over a server. */
export interface Eyes {
  readonly telemetry: Telemetry;
  /** Hears what happens in runs. */
  readonly onHappening: HearAll;
  /** Hears of steps that were parked before this server had their runs. */
  readonly onStillParked: HearAll;
  /** Hears of the moments of schedules. */
  readonly onMoment: (moment: ScheduledMoment) => void;
  /** Sends what is still to be sent, for a few seconds at most; after the engine was closed. */
  close(): Promise<void>;
}

/** Opens them. @throws {MaestroError} `USAGE` */
export async function openEyes(
  flags: AttentionFlags,
  logger: RunLogger,
  mask: SecretMask,
): Promise<Eyes> {
  const receiver = await readReceiver(flags, mask);
  const telemetry = await openTelemetry({
    version: VERSION,
    env: environment,
    onProblem: seldom((message) => logger.warn("telemetry has a problem", { error: message })),
  });
  const webhook = receiver === null ? null : new AttentionWebhook({
    ...receiver,
    onOutcome(outcome, notification) {
      telemetry.notified(outcome);
      logNotification(logger, outcome, notification);
    },
  });
  return {
    telemetry,
    onHappening(...what) {
      telemetry.engine.onHappening(...what);
      webhook?.onHappening(...what);
    },
    onStillParked: (...what) => webhook?.onStillParked(...what),
    onMoment(moment) {
      telemetry.onMoment(moment);
      logMoment(logger, moment);
    },
    async close() {
      await Promise.all([webhook?.close(), telemetry.close()]);
    },
  };
}

/** Says the same once a minute at most: a collector that is away is told of with every batch. */
function seldom(say: (message: string) => void): (message: string) => void {
  let said = "";
  let at = -Infinity;
  return (message) => {
    const now = performance.now();
    if (message === said && now - at < SAME_AGAIN) return;
    [said, at] = [message, now];
    say(message);
  };
}

async function readReceiver(
  { onAttention: url, onAttentionSecret: file }: AttentionFlags,
  mask: SecretMask,
): Promise<{ readonly url: string; readonly secret: string } | null> {
  if (url === undefined && file === undefined) return null;
  if (url === undefined || file === undefined) {
    throw new MaestroError(
      "USAGE",
      "Cannot use one of --on-attention and --on-attention-secret without the other: what is sent is signed",
    );
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new MaestroError(
      "USAGE",
      `Cannot use --on-attention "${url}": write a URL, such as https://oncall.example.com/hook`,
    );
  }
  const bytes = await readBytes(file, "--on-attention-secret", MAX_SECRET);
  const secret = new TextDecoder().decode(bytes).trim();
  if (secret === "") {
    throw new MaestroError("USAGE", `Cannot use --on-attention-secret: "${file}" is empty`);
  }
  mask.remember(secret);
  return { url, secret };
}

function logNotification(
  logger: RunLogger,
  outcome: "delivered" | "failed",
  { runId, step, attempts, error }: Notification,
): void {
  const fields = { run_id: runId, step, attempts, ...(error !== undefined && { error }) };
  if (outcome === "delivered") logger.info("attention webhook delivered", fields);
  else logger.error("attention webhook failed", fields);
}

function logMoment(
  logger: RunLogger,
  { workflow, runId, at, outcome, error }: ScheduledMoment,
): void {
  const fields = { run_id: runId, workflow, moment: new Date(at).toISOString() };
  switch (outcome) {
    case "started":
      return logger.info("schedule started a run", fields);
    case "elsewhere":
      return logger.debug("schedule found the moment's run there already", fields);
    case "skipped":
      return logger.warn("schedule skipped a moment: the run before is still under way", fields);
    case "failed":
      return logger.error("schedule could not start a run", {
        ...fields,
        code: error?.code,
        error: error?.message,
      });
  }
}
