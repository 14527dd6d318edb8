import { effect, signal } from "@preact/signals";
import type { VNode } from "preact";

type Theme = "auto" | "light" | "dark";

const KEY = "maestro.theme";
const ORDER: readonly Theme[] = ["auto", "light", "dark"];

const kept = localStorage.getItem(KEY);
const theme = signal<Theme>(ORDER.find((one) => one === kept) ?? "auto");

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});

/** Light, dark, or as the reader's system has it. */
export function ThemeButton(): VNode {
  const next = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] ?? "auto";
  return (
    <button
      type="button"
      class="bar-button"
      aria-label={`Colours: ${theme.value}. Change to ${next}`}
      title={`Colours: ${theme.value}`}
      onClick={() => {
        theme.value = next;
        localStorage.setItem(KEY, next);
      }}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true" class={`theme-icon theme-${theme.value}`}>
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
        {theme.value !== "light" && (
          <path
            d={theme.value === "dark"
              ? "M8 2a6 6 0 1 1 0 12 6 6 0 1 1 0-12z"
              : "M8 2a6 6 0 0 1 0 12z"}
            fill="currentColor"
          />
        )}
      </svg>
    </button>
  );
}
