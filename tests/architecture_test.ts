/** Guards the arrows of docs/architecture.md: who may import whom, and that no import goes in a circle. */
import assert from "node:assert/strict";
import { fromFileUrl, relative } from "./support/paths.ts";

/** From left to right; a room may import those to its left, and its own files. Rooms of one rank do not import each other. */
const RANKS: readonly (readonly string[])[] = [
  ["errors", "gen"],
  ["workflow"],
  ["machines"],
  ["engine"],
  ["grpc", "store", "telemetry", "server"],
  ["library"],
  ["cli"],
  ["mod"],
];

/** What only these rooms may import from outside. */
const RESERVED: Readonly<Record<string, readonly string[]>> = {
  "xstate": ["machines", "engine", "mod"],
  "@grpc/grpc-js": ["grpc", "server"],
  "protobufjs": ["grpc"],
  "node:sqlite": ["store"],
  "hono": ["server"],
  "@opentelemetry": ["telemetry"],
  "croner": ["workflow"],
  "commander": ["cli"],
  "@commander-js/extra-typings": ["cli"],
};

/** Rooms that touch nothing of the world: only these modules of the platform, which compute. */
const PURE = new Set(["errors", "workflow", "machines"]);
const PURE_BUILTINS = new Set(["node:crypto", "node:buffer", "node:path"]);

const root = new URL("../", import.meta.url);

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

async function readGraph(): Promise<Map<string, readonly string[]>> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", fromFileUrl(new URL("mod.ts", root))],
    stderr: "inherit",
  }).output();
  assert.ok(success);
  const graph: Graph = JSON.parse(new TextDecoder().decode(stdout));
  return new Map(
    graph.modules.filter((module) => module.specifier.startsWith(root.href)).map((module) => {
      assert.equal(module.error, undefined, module.specifier);
      const imports = (module.dependencies ?? []).map(({ specifier, code, type }) => {
        const target = code?.specifier ?? type?.specifier ?? specifier;
        return target.startsWith(root.href) ? relative(root, target) : specifier;
      });
      return [relative(root, module.specifier), imports];
    }),
  );
}

function roomOf(file: string): string {
  return file.replace(/^src\//, "").replace(/[/.].*$/, "");
}

function rankOf(room: string): number {
  const rank = RANKS.findIndex((rooms) => rooms.includes(room));
  assert.notEqual(rank, -1, `The room "${room}" has no place in the architecture`);
  return rank;
}

const graph = await readGraph();

Deno.test("the graph is the whole of src/", async () => {
  const known = new Set(graph.keys());
  for await (const file of sourceFiles(new URL("src/", root))) {
    assert.ok(known.has(file), `${file} is not reached from mod.ts`);
  }
});

Deno.test("imports go one way", () => {
  for (const [file, imports] of graph) {
    const room = roomOf(file);
    for (const target of imports.filter((target) => graph.has(target))) {
      const other = roomOf(target);
      if (other === room) continue;
      assert.ok(rankOf(other) < rankOf(room), `${file} may not import ${target}`);
    }
  }
});

Deno.test("no import goes in a circle", () => {
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]) => {
    assert.ok(!trail.includes(file), `A circle: ${[...trail, file].join(" → ")}`);
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) {
      if (graph.has(target)) visit(target, [...trail, file]);
    }
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
});

Deno.test("each library stays in the rooms that are for it", () => {
  for (const [file, imports] of graph) {
    const room = roomOf(file);
    for (const target of imports) {
      const owner = Object.keys(RESERVED).find((name) =>
        target === name || target.startsWith(`${name}/`)
      );
      if (owner !== undefined) {
        assert.ok(RESERVED[owner]?.includes(room), `${file} may not import ${target}`);
      }
      if (PURE.has(room) && target.startsWith("node:")) {
        assert.ok(PURE_BUILTINS.has(target), `${file} is in a pure room and imports ${target}`);
      }
      assert.ok(!target.startsWith("jsr:"), `${file} imports ${target}, which can't be reached`);
    }
  }
});

Deno.test("the pure rooms use neither clock nor random numbers nor the world", async () => {
  const forbidden =
    /\b(Deno\.|Date\.now|new Date\(\)|Math\.random|setTimeout|crypto\.(getRandom|random)|fetch\()/;
  for (const file of graph.keys()) {
    if (!PURE.has(roomOf(file))) continue;
    const text = await Deno.readTextFile(new URL(file, root));
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    assert.doesNotMatch(code, forbidden, file);
  }
});

async function* sourceFiles(folder: URL): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const url = new URL(entry.name + (entry.isDirectory ? "/" : ""), folder);
    if (entry.isDirectory) yield* sourceFiles(url);
    else if (entry.name.endsWith(".ts")) yield relative(root, url.href);
  }
}
