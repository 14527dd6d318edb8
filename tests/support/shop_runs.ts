/**
 * Runs of workflow texts against one scripted shop on loopback, through the library's engine: what
 * the shop saw of each, and what each reported.
 *
 * @module
 */
import * as grpc from "@grpc/grpc-js";
import {
  type Clock,
  type Engine,
  type EngineOptions,
  type Happening,
  openEngine,
  type Run,
  type RunReport,
  type StartOptions,
} from "../../mod.ts";
import { systemClock } from "../../src/engine/clock.ts";
import type { Breaker } from "../../src/engine/services.ts";
import { GRPC_CODES } from "../../src/workflow/words.ts";
import { workflowOf } from "./engines.ts";
import {
  PROTOS,
  type Reply,
  type Script,
  type ScriptedCall,
  type ScriptedServer,
  type ServerOptions,
  startServer,
  status,
} from "./grpc_server.ts";
import { startTcp } from "./raw_server.ts";

/** The shop's methods. */
export const BUY = "acme.shop.v1.Shop/Buy";
export const REFUND = "acme.shop.v1.Shop/Refund";
export const WATCH = "acme.shop.v1.Shop/Watch";
export const TALK = "acme.shop.v1.Shop/Talk";

/** One call of `Buy`, of what the run's input says. */
export const BUY_STEP = buyStep("buy");

/** One call of `Buy` in YAML. @param more the step's further settings */
export function buyStep(id: string, more = "", sku = "{{ .input.sku }}"): string {
  return `  - { id: ${id}, service: shop, method: Buy, input: { sku: "${sku}" }${
    more && `, ${more}`
  } }\n`;
}

/** How a run is started here. */
export interface ShopRunOptions extends StartOptions {
  /** YAML in flow style: the shop's further settings. Default: those of all runs. */
  readonly settings?: string;
  /** YAML lines of the workflow, such as its `timeout`. */
  readonly head?: string;
}

/** A run under way. */
export interface ShopRun {
  readonly run: Run;
  /** Its facts and notices so far. */
  readonly happenings: readonly Happening[];
  /** What the shop has seen of it so far. */
  calls(): readonly ScriptedCall[];
  ended(): Promise<EndedShopRun>;
}

/** A run that has come to its end. */
export interface EndedShopRun {
  readonly report: RunReport;
  readonly happenings: readonly Happening[];
  /** What the shop saw of it. */
  readonly calls: readonly ScriptedCall[];
}

/** A shop, and an engine for runs against it. */
export interface ShopRuns extends AsyncDisposable {
  readonly shop: ScriptedServer;
  readonly engine: Engine;
  /** The only breaker that there is. */
  breaker(): Breaker;
  start(steps: string, options?: ShopRunOptions): Promise<ShopRun>;
  run(steps: string, options?: ShopRunOptions): Promise<EndedShopRun>;
  /** Runs {@linkcode BUY_STEP}. */
  buy(sku: string, options?: ShopRunOptions): Promise<EndedShopRun>;
}

/** How {@linkcode openShop} makes a shop. */
export interface ShopOptions extends Partial<ServerOptions> {
  /** YAML in flow style: the shop's settings besides its endpoint. */
  readonly settings?: string;
  readonly engine?: Partial<EngineOptions>;
  /** Where the runs are to go, where that is not the shop's own endpoint. */
  readonly endpoint?: (shop: ScriptedServer) => string;
  /**
   * For how long grpc-js's timers may run on where a connection could not be made, in milliseconds;
   * as `openCaller` has it.
   */
  readonly lingers?: number;
}

/** Opens a shop; without scripts, one that does what {@linkcode bySku} says. */
export async function openShop(options: ShopOptions = {}): Promise<ShopRuns> {
  const { settings = "", engine: engineOptions, endpoint, lingers = 0, ...server } = options;
  const shop = await startServer({
    reflection: "none",
    ...server,
    scripts: { [BUY]: bySku, [REFUND]: () => ({}), ...server.scripts },
  });
  const engine = openEngine({ clock: turnClock(), ...engineOptions });
  const start = async (steps: string, more: ShopRunOptions = {}): Promise<ShopRun> => {
    const { settings: own = settings, head = "", onHappening, ...startOptions } = more;
    const text = shopWorkflow(endpoint?.(shop) ?? shop.endpoint, steps, own, head);
    const happenings: Happening[] = [];
    const run = await engine.start(workflowOf(text), {
      input: { sku: "o1" },
      ...startOptions,
      onHappening(event) {
        happenings.push(event);
        onHappening?.(event);
      },
    });
    const calls = () => shop.calls.filter(({ metadata }) => metadata["maestro-run-id"] === run.id);
    const ended = async () => ({ report: await run.result(), happenings, calls: calls() });
    return { run, happenings, calls, ended };
  };
  const run = async (steps: string, more: ShopRunOptions = {}) =>
    await (await start(steps, more)).ended();
  return {
    shop,
    engine,
    breaker() {
      const [breaker, another] = engine.breakers();
      if (breaker === undefined || another !== undefined) throw new Error("There is not one");
      return breaker;
    },
    start,
    run,
    buy: (sku, more = {}) => run(BUY_STEP, { ...more, input: { sku } }),
    async [Symbol.asyncDispose]() {
      await engine.close();
      await shop[Symbol.asyncDispose]();
      if (lingers > 0) await new Promise((resolve) => setTimeout(resolve, lingers));
    },
  };
}

/** A workflow with one service, whose schema is at hand. */
export function shopWorkflow(endpoint: string, steps: string, settings = "", head = ""): string {
  return `name: rules
${head}
services:
  shop: { endpoint: "${endpoint}", ${SHOP_SCHEMA}${settings && `, ${settings}`} }
steps:
${steps}`;
}

/** The settings by which nobody is asked for the shop's schema. */
export const SHOP_SCHEMA =
  `proto: ["${PROTOS}/acme/shop.proto"], import_paths: ["${PROTOS}"], proto_service: Shop`;

/** A sku that is a gRPC code is answered with it; any other is sold. */
export const bySku: Script = (call) => {
  const sku = skuOf(call);
  const code = GRPC_CODES.find((name) => name === sku);
  if (code !== undefined) throw failing(code);
  return { order_id: sku };
};

/** What a call of `Buy` or `Refund` is about. */
export function skuOf({ request }: ScriptedCall): string {
  return (request as { sku?: string }).sku ?? ""; // BuyRequest
}

/** The answer with a code other than OK. */
export function failing(code: GrpcCode, more?: Parameters<typeof status>[2]): Error {
  return status(grpc.status[code], `${code} it is`, more);
}

/** gRPC's codes but OK. */
export type GrpcCode = typeof GRPC_CODES[number];

/** What the shop does on an attempt of a call: it answers, fails, or whatever a script does. */
export type Turn = Reply | Error | Script;

/** Does one thing on the first attempt of each call, another on the second, and the last for ever. */
export function inTurn(...turns: readonly [Turn, ...Turn[]]): Script {
  return (call) => {
    const turn = turns[Math.min(attemptOf(call), turns.length) - 1] ?? turns[0];
    if (turn instanceof Error) throw turn;
    return typeof turn === "function" ? turn(call) : turn;
  };
}

/** Which attempt of its call the shop was told that this is. */
export function attemptOf({ metadata }: ScriptedCall): number {
  return Number(metadata["maestro-attempt"]);
}

/** Never answers. */
export const never: Script = () => new Promise(() => {});

/** Holds calls until they are let go. */
export class Gate {
  /** The most that were held at the same time. */
  most = 0;
  #held: { readonly call: ScriptedCall; readonly go: (failure?: Error) => void }[] = [];

  /** Who is held, in the order of arrival; whom nobody waits for any more is gone. */
  get held(): readonly ScriptedCall[] {
    return this.#held.map(({ call }) => call);
  }

  /** Holds a call, and then lets it buy. */
  readonly script: Script = (call) =>
    new Promise((resolve, reject) => {
      const go = (failure?: Error) =>
        failure === undefined ? resolve({ order_id: skuOf(call) }) : reject(failure);
      this.#held.push({ call, go });
      this.most = Math.max(this.most, this.#held.length);
      call.signal.addEventListener("abort", () => {
        this.#held = this.#held.filter((other) => other.call !== call);
      });
    });

  /** Holds calls of the sku `held`, and of those that begin so; the others are not held. */
  readonly some: Script = (call) =>
    skuOf(call).startsWith("held") ? this.script(call) : bySku(call);

  /** Lets the first ones go; all who are there, unless a number is given. */
  letGo(count: number = this.#held.length, failure?: Error): void {
    for (const { go } of this.#held.splice(0, count)) go(failure);
  }
}

/**
 * The machine's clock, which stands still while one thing follows from another: so the time of a
 * fact is exactly the time that led to it.
 */
function turnClock(): Clock {
  let time: number | null = null;
  return {
    ...systemClock,
    now() {
      if (time === null) {
        time = systemClock.now();
        queueMicrotask(() => time = null);
      }
      return time;
    },
  };
}

/** The delay before each retry, as it was decided, in milliseconds. */
export function delaysOf({ happenings }: Pick<EndedShopRun, "happenings">): number[] {
  return happenings.flatMap((event) =>
    event.kind === "attempt_ended" && event.nextAt !== null ? [event.nextAt - event.at] : []
  );
}

/** The time from each call to the next, in milliseconds, as the shop saw it. */
export function gapsOf(calls: readonly ScriptedCall[]): number[] {
  return calls.slice(1).map(({ arrived }, index) => arrived - (calls[index]?.arrived ?? NaN));
}

/** Timers and clocks round: a gap may be shorter than its delay by so many milliseconds. */
export const SKEW = 5;

/** Where nobody listens, and someone may. */
export async function freeEndpoint(): Promise<string> {
  const gone = await startTcp(() => {});
  await gone[Symbol.asyncDispose]();
  return gone.endpoint;
}
