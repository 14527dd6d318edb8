import { useSignal } from "@preact/signals";
import type { VNode } from "preact";

/** The most that is shown before the reader asks for all, in characters. */
const FIRST = 600;

/** A text that may be very long, such as what a service says of an error. */
export function LongText({ text }: { readonly text: string }): VNode {
  const all = useSignal(false);
  if (text.length <= FIRST * 1.2 || all.value) return <bdi class="long-text">{text}</bdi>;
  return (
    <>
      <bdi class="long-text">{text.slice(0, FIRST)}…</bdi>{" "}
      <button type="button" class="link-button" onClick={() => all.value = true}>
        Show all {new Intl.NumberFormat().format(text.length)} characters
      </button>
    </>
  );
}
