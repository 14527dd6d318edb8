import type { VNode } from "preact";
import { forgetToken, role, token } from "./api/token.ts";
import { here } from "./router.ts";
import { RunPage } from "./run/run_page.tsx";
import { RunsPage } from "./runs/runs_page.tsx";
import { ServicesPage } from "./services/services_page.tsx";
import { Connection } from "./ui/connection.tsx";
import { Empty } from "./ui/notices.tsx";
import { PageTitle } from "./ui/page_title.tsx";
import { ShortcutsButton } from "./ui/shortcuts.tsx";
import { ThemeButton } from "./ui/theme.tsx";
import { Toasts } from "./ui/toasts.tsx";
import { TokenDialog } from "./ui/token_dialog.tsx";
import { WorkflowPage } from "./workflows/workflow_page.tsx";
import { WorkflowsPage } from "./workflows/workflows_page.tsx";

/** The whole page: the bar at its top, and the view that its address names. */
export function App(): VNode {
  const [room = "runs"] = here.value.path;
  return (
    <>
      <a class="skip-link" href="#main">Skip to the content</a>
      <header class="bar">
        <a class="brand" href="/runs">
          <img src="/assets/icon.svg" alt="" width="24" height="24" /> Maestro
        </a>
        <nav class="bar-nav" aria-label="Main">
          {ROOMS.map(({ name, title }) => (
            <a key={name} href={`/${name}`} aria-current={room === name ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <div class="bar-end">
          <Connection />
          {token.value !== null && role.value !== null && (
            <span class="role" title="What your token allows">{role.value}</span>
          )}
          {token.value !== null && (
            <button type="button" class="bar-button" onClick={forgetToken}>Forget token</button>
          )}
          <ThemeButton />
          <ShortcutsButton />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <View />
      </main>
      <Toasts />
      <TokenDialog />
    </>
  );
}

const ROOMS: readonly { readonly name: string; readonly title: string }[] = [
  { name: "runs", title: "Runs" },
  { name: "workflows", title: "Workflows" },
  { name: "services", title: "Services" },
];

function View(): VNode {
  const [room = "runs", name, ...rest] = here.value.path;
  if (rest.length === 0) {
    if (room === "runs") {
      return name === undefined ? <RunsPage /> : <RunPage key={name} runId={name} />;
    }
    if (room === "workflows") {
      return name === undefined ? <WorkflowsPage /> : <WorkflowPage key={name} name={name} />;
    }
    if (room === "services" && name === undefined) return <ServicesPage />;
  }
  return (
    <>
      <PageTitle name="Not found" />
      <Empty title="There is nothing at this address">
        <a class="button" href="/runs">Show all runs</a>
      </Empty>
    </>
  );
}
