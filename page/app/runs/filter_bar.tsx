import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { listWorkflows } from "../api/api.ts";
import { useResource } from "../api/resource.ts";
import { go, withQuery } from "../router.ts";
import { isFiltered, type RunFilters, SPANS } from "./run_filters.ts";

/** How long somebody may pause while typing, in milliseconds. */
const TYPING = 300;

/** Narrows the list down: by text, workflow and time. */
export function FilterBar({ filters, seen }: {
  readonly filters: RunFilters;
  /** Workflows of runs that are shown: there may be no file of theirs any more. */
  readonly seen: readonly string[];
}): VNode {
  const workflows = useResource("workflows", listWorkflows);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []); // what was typed is of this view
  const set = (changes: Readonly<Record<string, string | null>>) =>
    go(withQuery({ ...changes, page_token: null }), "replace");
  const known = (workflows.data.value ?? []).filter(({ startable }) => startable);
  const names = new Set([...known.map(({ name }) => name), ...seen]);
  if (filters.workflow !== "") names.add(filters.workflow);
  const isOwnSpan = !SPANS.some(({ value }) => value === filters.since);
  return (
    <form class="filter-bar" role="search" onSubmit={(event) => event.preventDefault()}>
      <label class="field field-grow">
        <span class="field-label">Run or correlation id</span>
        <input
          id="search"
          type="search"
          value={filters.text}
          placeholder="Part of an id"
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => {
            clearTimeout(timer.current);
            const text = currentTarget.value.trim();
            timer.current = setTimeout(() => set({ text }), TYPING);
          }}
        />
      </label>
      <label class="field">
        <span class="field-label">Workflow</span>
        <select
          value={filters.workflow}
          onChange={({ currentTarget }) => set({ workflow: currentTarget.value })}
        >
          <option value="">All workflows</option>
          {[...names].sort().map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
      </label>
      <label class="field">
        <span class="field-label">Started</span>
        <select
          value={filters.since}
          onChange={({ currentTarget }) => set({ since: currentTarget.value })}
        >
          {SPANS.map(({ value, name }) => <option key={value} value={value}>{name}</option>)}
          {isOwnSpan && <option value={filters.since}>Since {localTime(filters.since)}</option>}
        </select>
      </label>
      <label class="field">
        <span class="field-label">Started before</span>
        <input
          type="datetime-local"
          value={localTime(filters.until)}
          onChange={({ currentTarget }) => set({ until: rfcTime(currentTarget.value) })}
        />
      </label>
      {isFiltered(filters) && <a class="button filter-clear" href="/runs">Clear</a>}
    </form>
  );
}

/** As a date field has it: the reader's own time. */
function localTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return "";
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function rfcTime(local: string): string | null {
  const time = new Date(local);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
