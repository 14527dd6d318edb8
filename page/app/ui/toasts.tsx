import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { ApiError } from "../api/api_error.ts";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: "done" | "error";
}

const toasts = signal<readonly Toast[]>([]);
let last = 0;

/** How long a word stays, in milliseconds: long enough to be read. */
const STAYS = 6_000;

/** Says what came of something that the reader did. */
export function say(text: string, kind: Toast["kind"] = "done"): void {
  const toast = { id: ++last, text, kind };
  toasts.value = [...toasts.value.slice(-2), toast];
  setTimeout(() => dismiss(toast.id), kind === "error" ? STAYS * 2 : STAYS);
}

/** Does something of the server's and says what came of it. @returns whether it was done */
export async function attempt(doing: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    await doing();
    say(done);
    return true;
  } catch (thrown) {
    say(ApiError.from(thrown).message, "error");
    return false;
  }
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** What was said last, also to readers of the screen. */
export function Toasts(): VNode {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, kind }) => (
        <div key={id} class={`toast toast-${kind}`}>
          <span>{text}</span>
          <button
            type="button"
            class="toast-close"
            aria-label="Dismiss"
            onClick={() => dismiss(id)}
          >
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
