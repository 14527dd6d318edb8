import { signal } from "@preact/signals";

const query = matchMedia("(max-width: 720px)");

/** The screen is a phone's, or a window as narrow. */
export const narrow = signal(query.matches);

query.addEventListener("change", ({ matches }) => {
  narrow.value = matches;
});
