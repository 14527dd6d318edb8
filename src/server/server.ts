import type { Journal } from "../engine/doors.ts";
import type { Engine } from "../engine/engine.ts";
import { within } from "../engine/within.ts";
import type { MaestroError } from "../errors.ts";
import { EngineOperations, type OperationsOptions } from "./engine_operations.ts";
import { Gate } from "./gate.ts";
import type { GrpcServer } from "./grpc/server.ts";
import { httpApp, type HttpOptions } from "./http/app.ts";
import { type Address, type HttpListener, listen, type ServerCertificate } from "./http/listen.ts";
import { type Places, streamPlaces } from "./places.ts";
import type { Tokens } from "./tokens.ts";
import type { WorkflowFolder } from "./workflow_folder.ts";

/** How long requests, streams and starts get to end, in milliseconds. */
const REQUESTS_END_WITHIN = 2_500;

/** How long the engine gets to close, in milliseconds. */
const ENGINE_CLOSES_WITHIN = 2_500;

/** How often it is looked whether something was left open, in milliseconds. */
const RESUME_EVERY = 60_000;

/** What a server is made of. */
export interface ServerOptions
  extends
    Pick<OperationsOptions, "maxRuns" | "audit" | "readTypes">,
    Pick<HttpOptions, "metrics" | "page"> {
  /** Runs the workflows; {@linkcode Server.wake} is to hear of what happens in it. The server closes it. */
  readonly engine: Engine;
  /** The engine's own. */
  readonly journal: Journal;
  readonly workflows: WorkflowFolder;
  /** `null`: whoever reaches the server may do everything. */
  readonly tokens: Tokens | null;
  /** How many streams may be open at a time, over HTTP and gRPC. @default 1,000 */
  readonly maxStreams?: number | undefined;
  /** The names that the server goes by, besides `localhost` and addresses. */
  readonly hosts: ReadonlySet<string>;
  /** Maestro's version. */
  readonly version: string;
  /** Hears of a defect. */
  readonly onDefect: (thrown: unknown) => void;
  /** How often it is looked whether something was left open, in milliseconds. @default a minute */
  readonly resumeEvery?: number;
}

/** A way in. */
interface Listener {
  /** Takes nothing new, and resolves when what there is has ended. */
  shutdown(): Promise<void>;
}

/** The long-running server. */
export class Server {
  readonly operations: EngineOperations;
  readonly #options: ServerOptions;
  readonly #gate: Gate;
  readonly #streams: Places;
  readonly #draining = new AbortController();
  readonly #listeners: Listener[] = [];
  #grpc: GrpcServer | null = null;
  #isResumed = false;
  #again: ReturnType<typeof setInterval> | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.operations = new EngineOperations(options);
    this.#gate = new Gate(options.tokens, options.audit);
    this.#streams = streamPlaces(options.maxStreams);
  }

  /** Something has happened in the engine. */
  wake(): void {
    this.operations.wake();
  }

  /** Opens the HTTP side. @throws {MaestroError} `USAGE` where it can't listen there */
  listenHttp(address: Address, certificate: ServerCertificate | null): HttpListener {
    const { onDefect } = this.#options;
    const app = httpApp({
      ...this.#options,
      operations: this.operations,
      gate: this.#gate,
      streams: this.#streams,
      draining: this.#draining.signal,
      unready: () => this.unready(),
    });
    const listener = listen(app, address, certificate, onDefect);
    this.#listeners.push(listener);
    return listener;
  }

  /** Opens the gRPC side. @throws {MaestroError} `USAGE` where it can't listen there */
  async listenGrpc(
    address: Address,
    certificate: ServerCertificate | null,
  ): Promise<{ readonly port: number }> {
    const { startGrpcServer } = await import("./grpc/server.ts");
    const { onDefect } = this.#options;
    const listener = await startGrpcServer({
      places: this.#streams,
      operations: this.operations,
      address,
      certificate,
      authenticate: (authorization, attempt) => this.#gate.callerOf(authorization, attempt),
      onDefect,
    });
    listener.setServing(this.#isResumed);
    this.#grpc = listener;
    this.#listeners.push(listener);
    return listener;
  }

  /**
   * Goes on with what was left open, now and every minute: by another process that has died, or here,
   * while the store could not be written.
   *
   * @param onFailed hears of a run that can't go on
   */
  async resume(onFailed: (runId: string, error: MaestroError) => void) {
    const { engine, resumeEvery = RESUME_EVERY } = this.#options;
    const { runs, sleeping } = await engine.resumeAll(onFailed);
    // A store that can't be written now shows where runs are started, and may be in a minute.
    this.#again = setInterval(() => engine.resumeAll(onFailed).catch(() => {}), resumeEvery);
    this.#isResumed = true;
    this.#grpc?.setServing(!this.#draining.signal.aborted);
    return { resumed: runs.length, sleeping };
  }

  /** Why no work may be sent here; `null`: it may. */
  async unready(): Promise<string | null> {
    if (this.#draining.signal.aborted) return "the server is being stopped";
    if (!this.#isResumed) return "runs are being resumed";
    try {
      await this.#options.journal.newest();
      return null;
    } catch {
      return "the store can't be read";
    }
  }

  /**
   * Starts nothing more, ends the streams, lets requests end, and leaves every run resumable. Takes five
   * seconds at most, whatever hangs.
   *
   * @param starting ends as requests do: what starts runs beside them
   * @returns whether the engine is closed: else the store has not taken the moment's facts
   */
  async close(starting: Promise<unknown> = Promise.resolve()): Promise<boolean> {
    this.#draining.abort();
    clearInterval(this.#again);
    const { engine, workflows } = this.#options;
    workflows.close();
    this.operations.close();
    const ended = this.#listeners.map((listener) => listener.shutdown());
    await within(REQUESTS_END_WITHIN, Promise.allSettled([starting, ...ended]));
    return await within(ENGINE_CLOSES_WITHIN, engine.close());
  }
}
