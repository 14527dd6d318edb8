import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { focusHeading } from "../router.ts";

/** A view's heading: it names the tab, and takes the focus when the view is entered. */
export function PageTitle({ name, children }: {
  readonly name: string;
  readonly children?: ComponentChildren;
}): VNode {
  useEffect(() => {
    document.title = `${name} · Maestro`;
  }, [name]);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (heading.current !== null) focusHeading(heading.current);
  }, []);
  return <h1 ref={heading} tabIndex={-1}>{children ?? name}</h1>;
}
