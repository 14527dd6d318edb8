import { useEffect } from "preact/hooks";
import type { Resource } from "../api/resource.ts";
import { follow } from "../api/stream.ts";
import { token } from "../api/token.ts";

/** The list is asked for again at most so often, in milliseconds, however much happens. */
const PAUSE = 700;

/** After these a list of runs says something else. */
const TELLING: ReadonlySet<string> = new Set([
  "run_started",
  "rollback_started",
  "attention_raised",
  "attention_resolved",
  "run_ended",
]);

/** Refreshes as runs start, turn and end. While the page can't be seen, nothing is followed. */
export function useLive(...resources: readonly Resource<unknown>[]): void {
  const shown = token.value; // with another token, another stream
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let leave: (() => void) | null = null;
    const refresh = () => {
      timer = null;
      for (const resource of resources) resource.refresh();
    };
    const hear = (data: string) => {
      if (TELLING.has(JSON.parse(data).kind)) timer ??= setTimeout(refresh, PAUSE);
      return false;
    };
    const look = () => {
      if (document.hidden) {
        leave?.();
        leave = null;
      } else if (leave === null) {
        // What happened meanwhile, or while the connection was away, is in the list.
        leave = follow("/events", {
          event: hear,
          state: (state) => state === "live" && refresh(),
        });
      }
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      if (timer !== null) clearTimeout(timer);
      leave?.();
    };
  }, [...resources, shown]);
}
