import type { VNode } from "preact";
import { CopyButton } from "../ui/json_view.tsx";

/** A workflow's text, with the numbers of its lines: messages name them. */
export function DefinitionText({ text }: { readonly text: string }): VNode {
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <div class="json">
      <pre class="source" tabIndex={0} role="group" aria-label="The workflow's text"><code>
        {lines.map((line, at) => (
          <span key={at} class="source-line">
            <span class="source-number" aria-hidden="true">{at + 1}</span>
            <Line text={line} />
            {"\n"}
          </span>
        ))}
      </code></pre>
      <div class="json-tools">
        <CopyButton text={text} what="the workflow's text" />
      </div>
    </div>
  );
}

/** Key, expressions and comment of one line of YAML, as far as a glance can tell them. */
function Line({ text }: { readonly text: string }): VNode {
  const comment = text.search(/(^|\s)#/);
  const [code, rest] = comment < 0 ? [text, ""] : [text.slice(0, comment), text.slice(comment)];
  const [, lead = "", key = "", value = ""] = /^(\s*(?:- )*)([\w.-]+:(?=\s|$))?(.*)$/.exec(code) ??
    [];
  return (
    <>
      {lead}
      {key !== "" && <span class="source-key">{key}</span>}
      {value.split(/(\{\{.*?\}\})/).map((part, at) =>
        at % 2 === 1 ? <span key={at} class="source-expression">{part}</span> : part
      )}
      {rest !== "" && <span class="source-comment">{rest}</span>}
    </>
  );
}
