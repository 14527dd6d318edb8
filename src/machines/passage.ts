/**
 * How a call passes its service: the breaker's permit, and a slot of the turnstile. What it holds
 * of either it gives back, however it ends.
 *
 * @module
 */
import type { CallContext } from "./call_context.ts";
import { closedPermit } from "./service.ts";
import type { CallerRef } from "./service_events.ts";

/** Whether the breaker lets the call through: it is closed, or gave a permit that still counts. */
export function isLetThrough(context: CallContext): boolean {
  const { breaker } = context.passage;
  if (breaker === null) return true;
  const { permit } = context;
  if (permit !== null && permit.epoch === breaker.getSnapshot().context.permit.epoch) return true;
  context.permit = closedPermit(breaker) ?? null;
  return context.permit !== null;
}

/** Whether the call has a slot, or one is free for it. */
export function takesSlot(context: CallContext): boolean {
  context.slot ??= context.passage.turnstile.enter();
  return context.slot !== null;
}

/** Frees the call's slot for the next in the queue. */
export function leaveTurnstile(context: CallContext): void {
  const { slot } = context;
  context.slot = null;
  slot?.leave();
}

/** Gives back all that the call holds of its service. */
export function letGo(context: CallContext, caller: CallerRef): void {
  leaveTurnstile(context);
  const { asking, permit, passage } = context;
  context.asking = false;
  context.permit = null;
  if (asking || permit !== null) passage.breaker?.send({ type: "withdraw", caller, permit });
}
