/**
 * `maestro serve`: the long-running server.
 *
 * @module
 */
import type { Secrets } from "../engine/doors.ts";
import { Scheduler } from "../engine/scheduler.ts";
import { within } from "../engine/within.ts";
import { MaestroError } from "../errors.ts";
import { checkWorkflow } from "../library/check.ts";
import { openEngine } from "../library/open.ts";
import type { AuditEntry } from "../server/audit.ts";
import type { Address, ServerCertificate } from "../server/http/listen.ts";
import { pageResponse } from "../server/page/page.ts";
import { scheduleView } from "../server/schedule_view.ts";
import { Server } from "../server/server.ts";
import { Tokens } from "../server/tokens.ts";
import { type WorkflowFile, WorkflowFolder } from "../server/workflow_folder.ts";
import type { RunLogger } from "../telemetry/run_log.ts";
import { SecretMask } from "../telemetry/secret_mask.ts";
import { releaseWarning } from "./deno_release.ts";
import { EXIT } from "./exit_code.ts";
import type { Io } from "./io.ts";
import { type LogFlags, type OpenedLogs, openLogs } from "./log_options.ts";
import { readSecrets } from "./secret_option.ts";
import { type AttentionFlags, type Eyes, openEyes } from "./serve_eyes.ts";
import {
  checkReach,
  parseAddress,
  parseMost,
  type ReachFlags,
  readCertificate,
} from "./serve_options.ts";
import { onSignals } from "./signals.ts";
import { openStore } from "./store_option.ts";
import { VERSION } from "./version.ts";

/** How long the last lines of the log may take, in milliseconds: who reads them may hang. */
const LOGS_CLOSE_WITHIN = 1_000;

/** When the program leaves that was told to stop, whatever it waits for, in milliseconds. */
const GONE_WITHIN = 8_500;

/** The options of `serve`. */
export interface ServeFlags extends ReachFlags, LogFlags, AttentionFlags {
  readonly workflows: string;
  readonly http: string;
  readonly grpc?: string | undefined;
  readonly maxRuns: string;
  readonly maxStreams: string;
  readonly allowHost?: readonly string[] | undefined;
  readonly store: string;
  readonly secret?: readonly string[] | undefined;
}

/** What the options say, and what is in the files that they name. */
interface Settings {
  readonly flags: ServeFlags;
  readonly http: Address;
  readonly grpc: Address | null;
  readonly maxRuns: number;
  readonly maxStreams: number;
  readonly certificate: ServerCertificate | null;
  readonly mask: SecretMask;
  readonly secrets: Secrets;
}

/** Serves until it is told to stop. @returns the exit code */
export async function serveCommand(flags: ServeFlags, io: Io): Promise<number> {
  const settings = await readSettings(flags);
  const { mask } = settings;
  const { stderr } = io;
  const logs = await openLogs(flags, stderr, mask.mask, (text) => stderr.writeBehind(text));
  const { logger } = logs;
  const stopped = stopAsked();
  let eyes: Eyes | null = null;
  try {
    eyes = await openEyes(flags, logger, mask);
    const warning = releaseWarning(Deno.version.deno);
    if (warning !== null) logger.warn(warning, {});
    const service = await openService(settings, logs, eyes);
    try {
      await listen(service.server, settings, logger);
      await Promise.race([service.goOn(), stopped.asked]); // many runs take a while: a stop need not wait for them
      await stopped.asked;
      logger.info("stopping", {});
    } finally {
      const isClosed = await service.close();
      if (!isClosed) {
        logger.warn(
          "the store hangs: what it has not taken is asked for again at the next start",
          {},
        );
      }
    }
    logger.info("stopped", {});
    return EXIT.completed;
  } finally {
    await eyes?.close();
    await within(LOGS_CLOSE_WITHIN, logs.close());
    stopped.forget();
  }
}

async function readSettings(flags: ServeFlags): Promise<Settings> {
  const http = parseAddress(flags.http, "--http");
  checkReach(http, "--http", flags);
  const grpc = flags.grpc === undefined ? null : parseAddress(flags.grpc, "--grpc");
  if (grpc !== null) checkReach(grpc, "--grpc", flags);
  const maxRuns = parseMost(flags.maxRuns, "--max-runs");
  const maxStreams = parseMost(flags.maxStreams, "--max-streams");
  const certificate = await readCertificate(flags);
  const mask = new SecretMask();
  const secrets = await readSecrets(flags.secret, mask);
  return { flags, http, grpc, maxRuns, maxStreams, certificate, mask, secrets };
}

/** A server that does not listen yet, and what starts runs by the clock. */
interface Service {
  readonly server: Server;
  /** Goes on with what was left open; from then on, runs are started by the clock. */
  goOn(): Promise<void>;
  /** @returns whether the store has taken everything */
  close(): Promise<boolean>;
}

async function openService(
  settings: Settings,
  { logger, audit, onHappening }: OpenedLogs,
  eyes: Eyes,
): Promise<Service> {
  const { flags, secrets, maxRuns, maxStreams } = settings;
  const { telemetry } = eyes;
  const tokens = openTokens(flags.tokens, logger);
  let reschedule = () => {};
  const workflows = await WorkflowFolder.open({
    folder: flags.workflows,
    check: checkWorkflow,
    onRead: (file) => logRead(logger, file),
    onChange: () => reschedule(),
    scheduleOf: scheduleView,
  });
  const journal = telemetry.timed(await openStore(flags.store));
  let wake = () => {};
  const engine = openEngine({
    journal,
    secrets,
    onHappening(...what) {
      onHappening?.(...what);
      eyes.onHappening(...what);
      wake();
    },
    onStillParked: eyes.onStillParked,
    traceparent: telemetry.engine.traceparent,
    onRest: () => wake(),
    onStopped: (runId, { code, message }) =>
      code === "ENGINE_CLOSED" ||
      logger.error("run stopped", { run_id: runId, code, error: message }),
  });
  const server = new Server({
    engine,
    journal,
    workflows,
    tokens,
    hosts: new Set((flags.allowHost ?? []).map((name) => name.toLowerCase())),
    maxRuns,
    maxStreams,
    readTypes: async (kept) => (await import("../grpc/kept_schema.ts")).keptTypes(kept),
    version: VERSION,
    metrics: () => telemetry.metricsText(),
    page: pageResponse,
    audit: (entry) => logAudit(audit, entry),
    onDefect: (thrown) => logDefect(logger, thrown),
  });
  wake = () => server.wake();
  telemetry.watch(engine, {
    countRuns: () => server.operations.countRuns(),
    load: () => ({ inFlight: engine.underWay, queued: server.operations.queued }),
  });
  const scheduler = new Scheduler({
    start: (workflow, options) => server.operations.startScheduled(workflow, options),
    engine,
    journal,
    onMoment: eyes.onMoment,
  });
  return {
    server,
    async goOn() {
      await resume(server, logger);
      reschedule = () => scheduler.set(workflows.newest());
      reschedule();
    },
    close: () => server.close(scheduler.close()),
  };
}

function openTokens(file: string | undefined, logger: RunLogger): Tokens | null {
  if (file === undefined) return null;
  return new Tokens(
    file,
    (error) => logger.error(`${error.message}; what it said before holds`, {}),
  );
}

async function listen(
  server: Server,
  { http, grpc, certificate }: Settings,
  logger: RunLogger,
): Promise<void> {
  const { url } = server.listenHttp(http, certificate);
  logger.info("serving", { url, version: VERSION });
  if (grpc === null) return;
  const { port } = await server.listenGrpc(grpc, certificate);
  logger.info("serving gRPC", { host: grpc.hostname, port, tls: certificate !== null });
}

async function resume(server: Server, logger: RunLogger): Promise<void> {
  const { resumed, sleeping } = await server.resume((runId, { code, message }) =>
    logger.error("run can't be resumed", { run_id: runId, code, error: message })
  );
  if (resumed + sleeping > 0) logger.info("runs resumed", { resumed, sleeping });
}

/** Resolves when the program is told to stop. Told twice, or not gone in time, it leaves at once. */
function stopAsked(): { readonly asked: Promise<void>; readonly forget: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isAsked = false;
  const ask = (code: number) => () => {
    if (isAsked) Deno.exit(code);
    isAsked = true;
    Deno.unrefTimer(setTimeout(() => Deno.exit(code), GONE_WITHIN));
    resolve();
  };
  const forget = onSignals({ interrupt: ask(EXIT.interrupted), terminate: ask(EXIT.terminated) });
  return { asked: promise, forget };
}

function logRead(logger: RunLogger, { file, workflow, problems }: WorkflowFile): void {
  const errors = problems.filter(({ severity }) => severity === "error");
  const name = { file, ...(workflow !== null && { workflow: workflow.name }) };
  if (errors.length === 0) return logger.info("workflow read", name);
  logger.error(
    workflow === null
      ? "workflow can't be started: its file has mistakes"
      : "workflow's file has mistakes: the last good one stays",
    {
      ...name,
      problems: errors.slice(0, 10).map(({ line, column, message }) =>
        [line, column, ` ${message}`].filter((part) => part !== null).join(":")
      ),
    },
  );
}

function logAudit(logger: RunLogger, entry: AuditEntry): void {
  const { who, role, action, runId, refused, more } = entry;
  logger.info("audit", {
    who,
    role,
    action,
    ...(runId !== null && { run_id: runId }),
    ...(refused !== null && { refused }),
    ...more,
  });
}

function logDefect(logger: RunLogger, thrown: unknown): void {
  const { code, message, cause } = MaestroError.from(thrown);
  const stack = cause instanceof Error ? cause.stack : undefined;
  logger.error("request failed", {
    code,
    error: message,
    ...(code === "INTERNAL" && { stack: stack ?? (thrown instanceof Error ? thrown.stack : null) }),
  });
}
