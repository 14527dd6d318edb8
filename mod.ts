/**
 * Maestro runs workflows of gRPC services: YAML files with retries, circuit breakers, and a saga
 * that undoes what was done when a step fails.
 *
 * Run as a program this module is the command line (`deno run -A mod.ts --help`); imported, it is
 * the library.
 *
 * @example Run a workflow and await its result
 * ```ts
 * import { callerOf, loadWorkflow, openEngine } from "@maestro/maestro";
 *
 * // Leave the caller out to call the workflow's real services.
 * const engine = openEngine({ caller: callerOf(({ input }) => input) });
 * try {
 *   const workflow = await loadWorkflow("bench/two_calls.yaml");
 *   const run = await engine.start(workflow, { input: { text: "hello" } });
 *   const stop = run.follow((event) => console.log(event.kind));
 *   const { status, output } = await run.result();
 *   stop();
 *   console.log(status, output); // completed { text: "hello", number: "1" }
 * } finally {
 *   await engine.close();
 * }
 * ```
 *
 * @module
 */

export { type ErrorCode, MaestroError, type Problem } from "./src/errors.ts";

export { loadWorkflow } from "./src/library/load.ts";
export { type CheckedWorkflow, checkWorkflow } from "./src/library/check.ts";
export { openEngine } from "./src/library/open.ts";
export { secretsFrom, type SecretSources } from "./src/library/secrets.ts";
export {
  callerOf,
  CallFailure,
  callFailure,
  type CallHandler,
  type HandledCall,
} from "./src/library/fake.ts";

export { Engine } from "./src/engine/engine.ts";
export type {
  EngineOptions,
  HearAll,
  RunOrigin,
  StartOptions,
} from "./src/engine/engine_options.ts";
export { type ScheduledMoment, Scheduler, type SchedulerOptions } from "./src/engine/scheduler.ts";
export { Run } from "./src/engine/run.ts";
export type { CallFigures } from "./src/engine/call_figures.ts";
export type { Breaker, ServiceLoad } from "./src/engine/services.ts";
export type { Happening } from "./src/engine/happening.ts";
export type { Resolution } from "./src/engine/resolution.ts";
export type {
  AttentionReport,
  CompensationReport,
  RunReport,
  RunStatus,
  StepReport,
} from "./src/engine/report.ts";
export {
  type Adopted,
  type Answer,
  type Caller,
  type CallOptions,
  type Claim,
  type Clock,
  type CommandAnswer,
  type EncodedRequest,
  type Journal,
  type JournalSize,
  type KeptText,
  type Method,
  type Moment,
  type NewRun,
  type Posted,
  type RunQuery,
  type RunSummary,
  type Secrets,
  type Standing,
  type StoredFact,
  type Target,
  type TracedCall,
  type TypeLookup,
  Unreachable,
} from "./src/engine/doors.ts";
export { memoryJournal, type MemoryJournalOptions } from "./src/store/memory.ts";
export { sqliteJournal, type SqliteJournalOptions } from "./src/store/sqlite/journal.ts";

export type { EndStatus, Fact, FactBody, Form, Op, RollbackReason } from "./src/machines/facts.ts";
export type { AttemptFailure, Failure } from "./src/machines/failure.ts";
export type { Notice } from "./src/machines/board.ts";
export type { Outcome } from "./src/machines/outcome.ts";
export type { BreakerState } from "./src/machines/service_events.ts";

export type {
  BlockStep,
  CallStep,
  CallTarget,
  CatchEntry,
  ChildStep,
  Compensation,
  FailStep,
  ForeachStep,
  ParallelStep,
  Place,
  RepeatStep,
  RetryRule,
  ReturnStep,
  SagaRule,
  Schedule,
  SchemaSource,
  SequenceStep,
  Service,
  SetStep,
  SignalStep,
  Step,
  StepBase,
  SwitchBranch,
  SwitchStep,
  Template,
  Verify,
  WaitStep,
  Workflow,
} from "./src/workflow/model.ts";
export type {
  BreakerRule,
  BudgetRule,
  HealthRule,
  PoolRule,
  RateRule,
  TlsRule,
} from "./src/workflow/service_rules.ts";
export type { Json } from "./src/workflow/json.ts";
export type { MessageValue } from "./src/workflow/message.ts";
export type { Value } from "./src/workflow/value.ts";

export { logHappenings, type RunLogger } from "./src/telemetry/run_log.ts";

if (import.meta.main) {
  // Loaded only here: who imports the library does not wait for the command line.
  const { main } = await import("./src/cli/main.ts");
  await main(Deno.args);
}
