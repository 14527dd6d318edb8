import type { ComponentChildren, VNode } from "preact";
import { useEffect } from "preact/hooks";

/** A view's heading: it names the tab, and takes the focus when the view is entered. */
export function PageTitle({ name, children }: {
  readonly name: string;
  readonly children?: ComponentChildren;
}): VNode {
  useEffect(() => {
    document.title = `${name} · Maestro`;
  }, [name]);
  return <h1 tabIndex={-1}>{children ?? name}</h1>;
}
