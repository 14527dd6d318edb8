/**
 * A service whose books outlive the process that calls it: it keeps the promises of semantics.md §5,
 * writes down every call that arrives and what it did about it, and misbehaves as it is told.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { status as codes } from "@grpc/grpc-js";
import { protoSchema } from "../../src/grpc/schema_proto.ts";
import { fromFileUrl } from "../support/paths.ts";
import { type Script, type ScriptedCall, startServer, status } from "../support/grpc_server.ts";

const FOLDER = fromFileUrl(new URL(".", import.meta.url));

/** A call, as it arrived. */
export interface Arrival {
  /** Counts everything in the books. */
  readonly n: number;
  /** By the bank's clock, in milliseconds. */
  readonly at: number;
  /** Which process made it, counted from 1. */
  readonly life: number;
  readonly run: string;
  readonly step: string;
  readonly op: string;
  readonly key: string;
  /** The key of the action that it is, or is about. */
  readonly actionKey: string;
  readonly attempt: number;
  readonly method: string;
  /** Of the request's bytes. */
  readonly digest: string;
  readonly order: string;
  readonly memo: string;
  /** The entries that its caller had receipts for. */
  readonly after: readonly string[];
  /** The entry that a compensation wants undone; empty where the caller never had a receipt. */
  readonly entry: string;
  /** When it was answered, and whether with OK. */
  answered: { readonly n: number; readonly at: number; readonly ok: boolean } | null;
}

/** A change of the books. */
export interface Effect {
  readonly n: number;
  readonly kind: "done" | "undone";
  readonly actionKey: string;
  readonly order: string;
  readonly memo: string;
  readonly account: string;
  readonly amount: number;
  /** The receipt of what was done. */
  readonly entry: string;
}

/** What goes wrong with a call. */
export type Trouble =
  /** It is refused for good. */
  | "refuse"
  /** It is never done. */
  | "fail"
  /** It is done, and never answered OK. */
  | "lose"
  /** It is done, and not answered at all. */
  | "hang"
  /** It is done long after its caller has gone. */
  | "linger"
  /** Before it is answered OK it is refused, not done, and done without an answer. */
  | "resist"
  /** The first attempt is forbidden, which parks a compensation. */
  | "forbid";

/** What goes wrong with an order, by op and memo: `action confirm`. */
export type Troubles = Readonly<Record<string, Trouble>>;

/** How a bank is opened. */
export interface BankOptions {
  /** What goes wrong with an order. */
  readonly troublesOf: (order: string) => Troubles;
  /** What else goes wrong, now and then: uniform in [0, 1). */
  readonly random: () => number;
}

/** An open bank. */
export interface Bank extends AsyncDisposable {
  readonly endpoint: string;
  readonly arrivals: readonly Arrival[];
  readonly effects: readonly Effect[];
  /** Calls back once so many calls have arrived. */
  whenArrived(calls: number, callback: () => void): void;
  /** Resolves once nothing is under way. */
  idle(): Promise<void>;
}

/** Attempts from here on are left alone: a step has four. */
const CALM = 3;
/** How long what lingers does, in milliseconds. */
const LINGER = 40;

/** Opens a bank. */
export async function openBank({ troublesOf, random }: BankOptions): Promise<Bank> {
  const arrivals: Arrival[] = [];
  const effects: Effect[] = [];
  /** By action key. */
  const rows = new Map<string, { state: "done" | "undone" | "void"; entry: string }>();
  const underWay = new Set<Promise<void>>();
  /** By how many calls they wait for. */
  const waiting = new Map<number, () => void>();
  let n = 0;

  function arrive(call: ScriptedCall): Arrival {
    const { metadata, bytes, method } = call;
    const request = call.request as Record<string, string | string[] | undefined>; // all its fields are
    const key = String(metadata["idempotency-key"]);
    const arrival: Arrival = {
      n: ++n,
      at: Date.now(),
      life: Number(metadata["x-life"]),
      run: String(metadata["maestro-run-id"]),
      step: String(metadata["maestro-step"]),
      op: String(metadata["maestro-op"]),
      key,
      actionKey: metadata["maestro-action-key"] ?? key,
      attempt: Number(metadata["maestro-attempt"]),
      method: method.replace(/^.*\//, ""),
      digest: createHash("sha256").update(bytes).digest("base64url"),
      order: String(request.order),
      memo: String(request.memo),
      after: request.after as string[] | undefined ?? [],
      entry: String(request.entry ?? ""),
      answered: null,
    };
    arrivals.push(arrival);
    waiting.get(arrivals.length)?.();
    return arrival;
  }

  /** A posting's row: a compensation posts, too, under its own key. */
  function post({ key, order, memo }: Arrival, { account, amount }: Amount): { entry: string } {
    const row = rows.get(key);
    if (row?.state === "done") return { entry: row.entry };
    if (row !== undefined) throw status(codes.ABORTED, "It was undone");
    const entry = `${order}:${memo}:${++n}`;
    rows.set(key, { state: "done", entry });
    effects.push({ n, kind: "done", actionKey: key, order, memo, account, amount, entry });
    return { entry };
  }

  function undo({ actionKey }: Arrival): Record<string, never> {
    const row = rows.get(actionKey);
    if (row === undefined) rows.set(actionKey, { state: "void", entry: "" });
    if (row?.state !== "done") return {};
    const done = effects.find(({ kind, entry }) => kind === "done" && entry === row.entry);
    if (done === undefined) throw new Error("A row without its effect");
    row.state = "undone";
    effects.push({ ...done, n: ++n, kind: "undone" });
    return {};
  }

  function find({ op, actionKey, step, order, memo }: Arrival): { entry?: string } {
    if (op !== "verify") { // a poll, of what is not there at first
      const found = effects.find((one) => one.order === order && one.memo === memo);
      return step.includes("[0]") || found === undefined ? {} : { entry: found.entry };
    }
    const row = rows.get(actionKey);
    if (row === undefined) rows.set(actionKey, { state: "void", entry: "" });
    if (row?.state !== "done") throw status(codes.NOT_FOUND, "There is none");
    return { entry: row.entry };
  }

  /** What goes wrong with this attempt. */
  function moodOf({ op, method, order, memo, attempt }: Arrival): Trouble | "" {
    const isPoll = op === "action" && method === "Find";
    const trouble = isPoll ? undefined : troublesOf(order)[`${op} ${memo}`];
    if (trouble === "resist") {
      return attempt >= CALM + 1 ? "" : (["refuse", "fail", "lose"] as const)[attempt - 1] ?? "";
    }
    if (trouble === "forbid") return attempt === 1 ? trouble : "";
    if (trouble !== undefined) return trouble;
    if (attempt >= CALM || memo === "once") return "";
    const chance = random();
    return chance < 0.05 ? "fail" : chance < 0.1 ? "lose" : "";
  }

  function scripted(work: (arrival: Arrival, amount: Amount) => { entry?: string }): Script {
    return async (call) => {
      const arrival = arrive(call);
      const ended = Promise.withResolvers<void>();
      underWay.add(ended.promise);
      try {
        const answer = await behave(call, arrival, () => work(arrival, amountOf(call)));
        arrival.answered = { n: ++n, at: Date.now(), ok: true };
        return answer;
      } catch (thrown) {
        arrival.answered = { n: ++n, at: Date.now(), ok: false };
        throw thrown;
      } finally {
        underWay.delete(ended.promise);
        ended.resolve();
      }
    };
  }

  async function behave(
    { signal }: ScriptedCall,
    arrival: Arrival,
    work: () => { entry?: string },
  ): Promise<{ entry?: string }> {
    const mood = moodOf(arrival);
    const slow = random();
    await pause(slow < 0.3 ? 0 : slow < 0.95 ? slow * 8 : 30);
    if (mood === "refuse") throw status(codes.FAILED_PRECONDITION, "Refused");
    if (mood === "forbid") throw status(codes.PERMISSION_DENIED, "Forbidden");
    if (mood === "fail") throw status(codes.UNAVAILABLE, "Not now");
    if (mood === "linger") {
      await aborted(signal);
      await pause(LINGER);
    }
    const answer = work();
    if (mood === "hang") await aborted(signal);
    if (mood === "lose") throw status(codes.UNAVAILABLE, "Done, but who knows");
    return answer;
  }

  const { schema } = await protoSchema([`${FOLDER}bank.proto`], [FOLDER]);
  const server = await startServer({
    schema,
    scripts: {
      "torture.v1.Bank/Post": scripted(post),
      "torture.v1.Bank/Undo": scripted(undo),
      "torture.v1.Bank/Find": scripted(find),
    },
  });
  return {
    endpoint: server.endpoint,
    arrivals,
    effects,
    whenArrived: (calls, callback) => waiting.set(calls, callback),
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

interface Amount {
  readonly account: string;
  readonly amount: number;
}

function amountOf({ request }: ScriptedCall): Amount {
  const { account, amount = 0 } = request as { account?: string; amount?: string };
  return { account: account ?? "", amount: Number(amount) };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}
