import type { VNode } from "preact";
import type { Look } from "../run/looks.ts";

/** What a look is drawn as: told apart by form, not by colour alone. */
const SHAPES: Readonly<Record<Look, string>> = {
  pending: "M8 3.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z",
  not_reached: "M4 8h8",
  running: "M8 2.5a5.5 5.5 0 0 1 5.5 5.5",
  backing_off: "M8 4.5V8l2.5 1.5M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z",
  waiting: "M6 4.5v7M10 4.5v7",
  completed: "M3.5 8.5l3 3 6-6.5",
  caught: "M3 10c2-4 3.5-4 5-2s3 2 5-2",
  failed: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  skipped: "M4 4.5L8 8l-4 3.5M9 4.5L13 8l-4 3.5",
  cancelled: "M4 12l8-8M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z",
  parked: "M8 3.5v5.5M8 12v.4",
  undoing: "M6 3.5L3.5 6 6 8.5M3.5 6H10a3 3 0 0 1 0 6H7",
  undone: "M6 3.5L3.5 6 6 8.5M3.5 6H10a3 3 0 0 1 0 6H7",
};

/** The small sign before a step's name. */
export function StateIcon({ look }: { readonly look: Look }): VNode {
  return (
    <svg class={`state-icon look-${look}`} viewBox="0 0 16 16" aria-hidden="true">
      <circle class="state-icon-disc" cx="8" cy="8" r="8" />
      <path d={SHAPES[look]} />
    </svg>
  );
}
