/**
 * For actions that record: `assign(({ context }) => recorded(settle(context)))`.
 *
 * They are assigns that change nothing. XState runs an assign at once, but puts off custom actions
 * while an actor starts; the guards that follow in the same step must see what was recorded.
 */
export function recorded(_done: void): Record<never, never> {
  return {};
}
