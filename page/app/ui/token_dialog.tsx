import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { enterToken, token, tokenWanted } from "../api/token.ts";
import { Dialog } from "./dialog.tsx";

/** Asks for a token, where the server wants one. */
export function TokenDialog(): VNode | null {
  const entered = useSignal("");
  if (!tokenWanted.value) return null;
  const submit = (event: Event) => {
    event.preventDefault();
    const text = entered.value.trim();
    if (text === "") return;
    entered.value = "";
    enterToken(text);
  };
  return (
    <Dialog title="This server wants a token" onClose={() => tokenWanted.value = false}>
      <form onSubmit={submit}>
        {token.value !== null && (
          <p class="field-error" role="alert">The token that was entered is not known here.</p>
        )}
        <label class="field">
          <span class="field-label">Token</span>
          <input
            type="password"
            required
            autocomplete="off"
            value={entered.value}
            onInput={({ currentTarget }) => entered.value = currentTarget.value}
          />
        </label>
        <p class="muted">It is kept until this tab is closed, and goes to this server only.</p>
        <div class="actions">
          <button type="submit" class="button button-primary">Go on</button>
        </div>
      </form>
    </Dialog>
  );
}
