import assert from "node:assert/strict";
import { Desk, DONE } from "./desk.ts";
import { shellLine, steady } from "./program.ts";

const hasScript = Deno.build.os === "linux" &&
  await new Deno.Command("script", { args: ["--version"] })
    .output().then(({ success }) => success, () => false);
if (!hasScript) {
  console.warn('SKIPPED: the live tree on a terminal; this machine has no "script" of util-linux');
}

/** What a terminal shows in the end: the escapes that move and erase are obeyed. */
function screenOf(text: string): string {
  const lines: string[] = [""];
  let row = 0;
  // deno-lint-ignore no-control-regex -- what terminals obey
  for (const [part] of text.matchAll(/\u001b\[\??[\d;]*[A-Za-z]|\r\n|\r|\n|[^\u001b\r\n]+/g)) {
    // deno-lint-ignore no-control-regex -- the same
    const up = /^\u001b\[(\d*)A$/.exec(part);
    if (up !== null) row = Math.max(0, row - Number(up[1] || 1));
    else if (part === "\u001b[2K") lines[row] = "";
    else if (part === "\n" || part === "\r\n") lines[++row] ??= "";
    else if (!part.startsWith("\u001b") && part !== "\r") lines[row] += part;
  }
  return lines.join("\n").trimEnd();
}

async function onTerminal(desk: Desk, line: string, env: Record<string, string>): Promise<string> {
  const { stdout } = await new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", `stty cols 80 rows 24; ${line}`, "/dev/null"],
    cwd: desk.folder,
    env: { TERM: "xterm", ...env },
    clearEnv: false,
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "on a terminal the run is a tree that is drawn again in its place",
  ignore: !hasScript,
  async fn(t) {
    const desk = await Desk.start();
    try {
      const steps =
        `${DONE}  - { id: second, service: desk, method: Refuse, input: { text: two } }\n`;
      const file = await desk.workflow("refused", steps);
      const shown = await onTerminal(desk, shellLine(["run", file, "--set", "text=hi"]), {
        NO_COLOR: "1",
      });
      assert.ok(shown.includes("\u001b[?25l"), "the cursor is hidden");
      assert.ok(
        shown.lastIndexOf("\u001b[?25h") > shown.lastIndexOf("\u001b[?25l"),
        "and shown again",
      );
      const screen = steady(screenOf(shown)).replaceAll(/ +[\d.]+m?s$/gm, "  <t>");
      await t.assertSnapshot(screen);
    } finally {
      await desk.stop();
    }
  },
});

Deno.test({
  name: "a terminal that can do nothing, and logs, get no tree",
  ignore: !hasScript,
  async fn() {
    const desk = await Desk.start();
    try {
      const file = await desk.workflow("fine", DONE);
      const args = ["run", file, "--set", "text=hi"];
      for (const [more, env] of [[[], { TERM: "dumb" }], [["--log-level", "info"], {}]] as const) {
        const shown = await onTerminal(desk, shellLine([...args, ...more]), {
          NO_COLOR: "1",
          ...env,
        });
        assert.ok(!shown.includes("\u001b[?"), shown); // nothing is drawn in its place
        assert.match(shown, /fine/);
      }
    } finally {
      await desk.stop();
    }
  },
});
