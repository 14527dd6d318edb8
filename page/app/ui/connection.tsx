import type { VNode } from "preact";
import { streams } from "../api/stream.ts";

/** Whether what is shown is live. */
export function Connection(): VNode | null {
  const { open, lost } = streams.value;
  if (open === 0) return null;
  return (
    <span class={`connection ${lost > 0 ? "is-lost" : "is-live"}`} role="status">
      <span class="badge-dot" aria-hidden="true" />
      {lost > 0 ? "reconnecting" : "live"}
    </span>
  );
}
