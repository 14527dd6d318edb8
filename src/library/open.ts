import type { Caller } from "../engine/doors.ts";
import { Engine } from "../engine/engine.ts";
import type { EngineOptions } from "../engine/engine_options.ts";
import { memoryJournal } from "../store/memory.ts";
import { environment, secretsFrom } from "./secrets.ts";

/**
 * An engine with everything in place: gRPC, a journal in memory, this machine's clock, environment
 * variables for `.env` and `.secrets`. Whatever is given stands in its place.
 *
 * Close it when you are done, or its connections keep the process alive.
 *
 * @example Run a workflow
 * ```ts ignore
 * import { loadWorkflow, openEngine } from "@maestro/maestro";
 *
 * const engine = openEngine();
 * try {
 *   const workflow = await loadWorkflow("user_onboarding.yaml");
 *   const run = await engine.start(workflow, { input: { email: "ada@example.com" } });
 *   const { status, output } = await run.result();
 *   console.log(status, output);
 * } finally {
 *   await engine.close();
 * }
 * ```
 *
 * @example Follow what happens, without any service
 * ```ts
 * import { callerOf, loadWorkflow, openEngine } from "@maestro/maestro";
 *
 * const engine = openEngine({
 *   caller: callerOf(({ service, method }) => ({ said: `${service} did ${method}` })),
 * });
 * const workflow = await loadWorkflow("bench/two_calls.yaml");
 * const run = await engine.start(workflow, {
 *   input: { text: "hello" },
 *   onHappening: (event) => console.log(event.kind),
 * });
 * await run.result();
 * await engine.close();
 * ```
 */
export function openEngine(options: Partial<EngineOptions> = {}): Engine {
  return new Engine({
    ...options,
    caller: options.caller ?? lazyGrpcCaller(),
    journal: options.journal ?? memoryJournal(),
    env: options.env ?? environment,
    secrets: options.secrets ?? secretsFrom(),
  });
}

/** gRPC, loaded with the first method that is asked for: who brings a Caller need not wait for it. */
export function lazyGrpcCaller(): Caller {
  let loading: Promise<Caller> | undefined;
  const caller = () =>
    loading ??= import("../grpc/caller.ts").then(({ grpcCaller }) => grpcCaller());
  return {
    method: async (target, name, options) => (await caller()).method(target, name, options),
    watchHealth(target, name, hear) {
      let isOver = false;
      let end = () => {};
      caller().then((loaded) => {
        if (!isOver) end = loaded.watchHealth?.(target, name, hear) ?? end;
      }, () => {}); // what can't be loaded is said where the first method is asked for
      return () => {
        isOver = true;
        end();
      };
    },
    types: async (kept) => (await import("../grpc/kept_schema.ts")).keptTypes(kept),
    close: async () => await (await loading)?.close(),
  };
}
