import type { VNode } from "preact";
import type { ServiceView } from "../../../src/server/operations.ts";

/** The calls that a breaker goes by, as one bar: answered, slow, failed. */
export function WindowBar({ window }: { readonly window: ServiceView["window"] }): VNode {
  const { calls, failures, slow } = window;
  const rate = calls === 0 ? 0 : Math.round(failures / calls * 100);
  const words = calls === 0
    ? "No calls in the window"
    : `${calls} ${calls === 1 ? "call" : "calls"}, ${failures} failed (${rate} %)` +
      (slow > 0 ? `, ${slow} slow` : "");
  const good = Math.max(0, calls - failures - slow);
  return (
    <div class="window">
      <svg
        class="window-bar"
        viewBox={`0 0 ${Math.max(calls, 1)} 1`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <rect class="window-good" x="0" width={good} height="1" />
        <rect class="window-slow" x={good} width={calls - failures - good} height="1" />
        <rect class="window-failed" x={calls - failures} width={failures} height="1" />
      </svg>
      <p>{words}</p>
    </div>
  );
}
