import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { go } from "../router.ts";
import { Dialog } from "./dialog.tsx";

const isOpen = signal(false);

/** Where `g` and a second key lead. */
const PLACES: Readonly<Record<string, string>> = {
  r: "/runs",
  w: "/workflows",
  s: "/services",
  a: "/runs?status=needs_attention",
};

const HELP: readonly (readonly [string, string])[] = [
  ["g r", "Runs"],
  ["g a", "Runs that need attention"],
  ["g w", "Workflows"],
  ["g s", "Services"],
  ["/", "Find a run"],
  ["j, k", "Next and previous run of the list"],
  ["?", "These keys"],
];

/** The second key of a pair has to follow within so many milliseconds. */
const PAIR = 1_000;

let goAt = -Infinity;

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]") !== null) return;
  const place = event.timeStamp - goAt < PAIR ? PLACES[event.key] : undefined;
  goAt = event.key === "g" ? event.timeStamp : -Infinity;
  if (place !== undefined) return go(place);
  if (event.key === "?") isOpen.value = true;
  else if (event.key === "/") find(event);
  else if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
});

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select");
}

function find(event: KeyboardEvent): void {
  event.preventDefault();
  const field = document.getElementById("search");
  if (field !== null) return field.focus();
  go("/runs");
  requestAnimationFrame(() => document.getElementById("search")?.focus());
}

function walk(step: number): void {
  const links = [...document.querySelectorAll<HTMLElement>(".row-link")];
  const at = links.findIndex((link) => link === document.activeElement);
  links[at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
}

/** A button that tells the keys. */
export function ShortcutsButton(): VNode {
  return (
    <>
      <button
        type="button"
        class="bar-button shortcuts-button"
        aria-label="Keyboard shortcuts"
        onClick={() => isOpen.value = true}
      >
        ?
      </button>
      {isOpen.value && (
        <Dialog title="Keys" onClose={() => isOpen.value = false}>
          <dl class="keys">
            {HELP.map(([keys, what]) => (
              <div key={keys}>
                <dt>
                  <kbd>{keys}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <div class="actions">
            <button type="button" class="button" onClick={() => isOpen.value = false}>Close</button>
          </div>
        </Dialog>
      )}
    </>
  );
}
