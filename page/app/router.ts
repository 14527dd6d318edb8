import { signal } from "@preact/signals";

/** Where the page is: everything that it shows can be read from its address. */
export interface Place {
  /** The address's path, its parts decoded: a child run's id holds a `/` of its own. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

function read(): Place {
  const path = location.pathname.split("/").filter((part) => part !== "").map(decode);
  return { path, query: new URLSearchParams(location.search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone % that someone typed
  }
}

/** Where the page is now. */
export const here = signal(read());

/** Goes to an address of the page. */
export function go(address: string, how: "push" | "replace" = "push"): void {
  const before = location.pathname;
  if (how === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  here.value = read();
  if (location.pathname === before) return;
  scrollTo(0, 0);
  hasMoved = true;
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

let hasMoved = false;

/** Gives the focus to a view's heading, where nothing else took it: it is heard where one is now. */
export function focusHeading(heading: HTMLElement): void {
  if (hasMoved && document.activeElement === document.body) heading.focus({ preventScroll: true });
}

/** The present address with some of its query changed; `null` takes a name out. */
export function withQuery(changes: Readonly<Record<string, string | null>>): string {
  const query = new URLSearchParams(here.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return location.pathname + (text === "" ? "" : `?${text}`);
}

/** The address of a run. */
export function runAddress(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}

/** The address of a workflow. */
export function workflowAddress(name: string): string {
  return `/workflows/${encodeURIComponent(name)}`;
}

/** The address of the services of a name. */
export function serviceAddress(name: string): string {
  return `/services?service=${encodeURIComponent(name)}`;
}

addEventListener("popstate", () => {
  here.value = read();
});

// Links are plain ones, so that they open in tabs and can be copied; a plain click stays on the page.
addEventListener("click", (event) => {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
    return;
  }
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (link === null || event.defaultPrevented || link.target !== "") return;
  if (link.origin !== location.origin || link.hasAttribute("download")) return;
  if (link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
