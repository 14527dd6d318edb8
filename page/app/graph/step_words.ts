import type { StepNode } from "../../../src/server/step_tree.ts";
import { duration } from "../ui/duration.ts";

/** What kinds of steps are called. */
export const KIND_NAMES: Readonly<Record<StepNode["kind"], string>> = {
  call: "call",
  steps: "sequence",
  parallel: "parallel",
  switch: "switch",
  foreach: "for each",
  repeat: "repeat",
  wait: "wait",
  await_signal: "signal",
  workflow: "child run",
  set: "set",
  fail: "fail",
  return: "return",
};

/** A step in a line: who is called, or what kind of step it is. */
export function subtitle(step: StepNode): string {
  const { kind, call } = step;
  if (call !== null) return `${call.service} · ${shortMethod(call.method)}`;
  const detail = detailOf(step);
  return detail === "" ? KIND_NAMES[kind] : `${KIND_NAMES[kind]} · ${detail}`;
}

/** What there is to say of a step besides its kind; `""`: nothing. */
export function detailOf({ kind, detail }: StepNode): string {
  const milliseconds = kind === "wait" ? /^(\d+) ms$/.exec(detail ?? "")?.[1] : undefined;
  return milliseconds === undefined ? bare(detail ?? "") : duration(Number(milliseconds));
}

/** A method without its proto service. */
export function shortMethod(method: string): string {
  return method.slice(method.lastIndexOf("/") + 1);
}

/** An expression without the braces around it. */
export function bare(text: string): string {
  return text.replaceAll(/\{\{\s*|\s*\}\}/g, "");
}
