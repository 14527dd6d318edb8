/**
 * How a call passes its service: the breaker's permit, and a slot of the turnstile. What it holds
 * of either it gives back, however it ends.
 *
 * @module
 */
import type { CallContext } from "./call_moves.ts";
import type { ServiceRef } from "./board.ts";
import { closedPermit } from "./service.ts";
import type { CallerRef } from "./service_events.ts";
import type { Turnstile } from "./turnstile.ts";

/** The breaker that the call has to pass; `null`: it is turned off. */
export function breakerOf({ board, target }: CallContext): ServiceRef | null {
  return board.breaker(target);
}

/** The turnstile that the call has to pass. */
export function turnstileOf({ board, target }: CallContext): Turnstile {
  return board.turnstile(target.service);
}

/** Whether the breaker lets the call through: it is closed, or gave a permit that still counts. */
export function isLetThrough(context: CallContext): boolean {
  const breaker = breakerOf(context);
  if (breaker === null) return true;
  const { permit } = context;
  if (permit !== null && permit.epoch === breaker.getSnapshot().context.epoch) return true;
  context.permit = closedPermit(breaker) ?? null;
  return context.permit !== null;
}

/** Whether the call has a slot, or one is free for it. */
export function takesSlot(context: CallContext): boolean {
  context.slot ??= turnstileOf(context).enter();
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
  const { asking, permit } = context;
  context.asking = false;
  context.permit = null;
  if (asking || permit !== null) breakerOf(context)?.send({ type: "withdraw", caller, permit });
}
