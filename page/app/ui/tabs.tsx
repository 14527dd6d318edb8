import type { VNode } from "preact";
import { go, here, withQuery } from "../router.ts";

/** Views of one thing; which one is shown stands in the address. */
export function Tabs<Name extends string>({ label, name, tabs, selected }: {
  readonly label: string;
  /** What it is called in the address. */
  readonly name: string;
  readonly tabs: readonly { readonly name: Name; readonly title: string }[];
  readonly selected: Name;
}): VNode {
  const select = (tab: Name) =>
    go(withQuery({ [name]: tab === tabs[0]?.name ? null : tab }), "replace");
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const index = tabs.findIndex((tab) => tab.name === selected);
    const next = tabs[(index + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    select(next.name);
    document.getElementById(tabId(name, next.name))?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map((tab) => (
        <button
          key={tab.name}
          id={tabId(name, tab.name)}
          type="button"
          role="tab"
          aria-selected={tab.name === selected}
          aria-controls={panelId(name)}
          tabIndex={tab.name === selected ? 0 : -1}
          onClick={() => select(tab.name)}
        >
          {tab.title}
        </button>
      ))}
    </div>
  );
}

/** The tab that the address names, else the first. */
export function tabOf<Name extends string>(name: string, names: readonly [Name, ...Name[]]): Name {
  const given = here.value.query.get(name);
  return names.find((one) => one === given) ?? names[0];
}

/** What the panel of the selected tab is to carry. */
export function panelOf(name: string, selected: string): {
  readonly id: string;
  readonly role: "tabpanel";
  readonly "aria-labelledby": string;
} {
  return { id: panelId(name), role: "tabpanel", "aria-labelledby": tabId(name, selected) };
}

function tabId(name: string, tab: string): string {
  return `tab-${name}-${tab}`;
}

function panelId(name: string): string {
  return `panel-${name}`;
}
