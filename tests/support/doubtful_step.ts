/**
 * A step that is done, and one whose service is doubtful: what the second came to shows in what is
 * undone (semantics.md §3).
 *
 * @module
 */
import assert from "node:assert/strict";
import type { RunReport } from "../../mod.ts";
import { workflowOf } from "./engines.ts";
import { REFUND, SHOP_SCHEMA, type ShopRuns, skuOf } from "./shop_runs.ts";

const UNDO = (sku: string) =>
  `compensate: { service: shop, method: Refund, input: { sku: ${sku} } }`;

/** How the doubtful service is called. */
export interface Doubtful {
  /** YAML in flow style. */
  readonly settings?: string;
  readonly step?: string;
  readonly method?: string;
  /** A line of YAML. */
  readonly head?: string;
}

/** A step at a shop that is well, and then one at a service that may not be; the shop undoes both. */
export function doubtfulWorkflow(
  shop: string,
  doubtful: string,
  { settings = "", step = "", method = "Buy", head = "" }: Doubtful = {},
): string {
  return `name: outcomes
${head}
services:
  shop: { endpoint: "${shop}", ${SHOP_SCHEMA} }
  doubtful: { endpoint: "${doubtful}", ${SHOP_SCHEMA}${settings && `, ${settings}`} }
steps:
  - { id: first, service: shop, method: Buy, ${UNDO("first")} }
  - { id: second, service: doubtful, method: ${method}, ${UNDO("second")}${step && `, ${step}`} }
`;
}

/** What the shop was asked to undo of a run, in order. */
export function undone({ shop }: ShopRuns, { run_id }: RunReport): string[] {
  return shop.calls
    .filter(({ method, metadata }) => method === REFUND && metadata["maestro-run-id"] === run_id)
    .map(skuOf);
}

/** What is undone, by what the second step came to. */
const UNDONE = {
  not_sent: ["first"],
  rejected: ["first"],
  unknown: ["second", "first"],
} as const;

export type FailedOutcome = keyof typeof UNDONE;

/** The second step has failed with this outcome, and what is undone is what goes by it. */
export function cameTo(runs: ShopRuns, report: RunReport, outcome: FailedOutcome): void {
  const step = report.steps.find(({ id }) => id === "second");
  assert.equal(step?.outcome, outcome, JSON.stringify(report.error));
  assert.deepEqual(undone(runs, report), UNDONE[outcome]);
  assert.equal(step?.compensation?.status, outcome === "unknown" ? "done" : undefined);
}

/** Runs the two steps. */
export async function playDoubtful(
  runs: ShopRuns,
  endpoint: string,
  how?: Doubtful,
): Promise<RunReport> {
  const text = doubtfulWorkflow(runs.shop.endpoint, endpoint, how);
  return await (await runs.engine.start(workflowOf(text))).result();
}

/** What follows from an outcome, for the names of tests. */
export function inWords(outcome: FailedOutcome): string {
  return outcome === "unknown" ? "it is undone" : "it is not undone";
}
