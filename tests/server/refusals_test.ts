import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { maestro } from "../cli/program.ts";
import { hasOpenssl, makeCertificates } from "../support/certificates.ts";
import { tempFiles } from "../support/temp_files.ts";
import { askRaw, serve } from "./serving.ts";
import { APPROVAL } from "./workflows.ts";

function sha256(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

const TOKENS = `
# name  role      SHA-256 of the token
vera    viewer    ${sha256("vera-token")}
otto    operator  ${sha256("otto-token")}  # on call
ada     admin     ${sha256("ada-token")}
`;

function bearer(name: string): HeadersInit {
  return { authorization: `Bearer ${name}-token` };
}

Deno.test("bad requests are refused with what is wrong with them, and harm nobody", async (t) => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({ workflows: files.directory });
  await server.ask("POST", "/runs", { workflow: "approval", run_id: "there" });
  const start = (more: unknown) => ["POST", "/runs", more] as const;
  const deep = "[".repeat(5_000) + "]".repeat(5_000);
  const cases: readonly [string, readonly [string, string, unknown?], number, RegExp][] = [
    ["no JSON", start("{nonsense"), 400, /body:1:2: Not JSON/],
    ["half of it", start('{"workflow":"approval"'), 400, /Not JSON/],
    ["not UTF-8", start(new Uint8Array([0x7b, 0xff, 0x7d])), 400, /not UTF-8/],
    ["a list", start([]), 400, /expected object/],
    ["nothing", ["POST", "/runs"], 400, /"workflow"/],
    ["an unknown field", start({ workflow: "approval", imput: {} }), 400, /imput/],
    ["a wrong type", start({ workflow: 7 }), 400, /"workflow".*string/],
    ["too deep", start(`{"workflow":"approval","input":${deep}}`), 400, /200 levels deep/],
    ["a string without an end", start(`"${'\\"'.repeat(500_000)}`), 400, /Not JSON/],
    ["too large", start({ workflow: "x".repeat(1024 * 1024) }), 400, /more than 1048576 bytes/],
    [
      "a number that loses digits",
      start('{"workflow":"approval","input":{"count":9007199254740993}}'),
      400,
      /2\^53/,
    ],
    ["input that does not fit", start({ workflow: "approval", input: { goods: 7 } }), 400, /goods/],
    ["an unknown workflow", start({ workflow: "nonsense" }), 404, /no workflow "nonsense"/],
    ["an id with a space", start({ workflow: "approval", run_id: "a b" }), 400, /run id/],
    ["an id of a child run", start({ workflow: "approval", run_id: "a/b" }), 400, /run id/],
    ["a timeout that is none", start({ workflow: "approval", timeout: "soon" }), 400, /timeout/],
    [
      "a traceparent that is none",
      start({ workflow: "approval", traceparent: "x" }),
      400,
      /traceparent/,
    ],
    ["a page size that is none", ["GET", "/runs?page_size=many"], 400, /page_size/],
    ["a negative page size", ["GET", "/runs?page_size=-1"], 400, /page_size/],
    ["a page token that is none", ["GET", "/runs?page_token=nonsense"], 400, /page_token/],
    ["a status that is none", ["GET", "/runs?status=happy"], 400, /status/],
    ["a time that is none", ["GET", "/runs?since=yesterday"], 400, /since/],
    ["an unknown parameter", ["GET", "/runs?nonsense=1"], 400, /nonsense/],
    ["a parameter twice", ["GET", "/runs?status=completed&status=failed"], 400, /status.*twice/],
    ["an unknown run", ["GET", "/runs/nonsense"], 404, /no run "nonsense"/],
    ["a run id that can't be one", ["GET", "/runs/%00%ff"], 404, /no run/],
    ["events of an unknown run", ["GET", "/runs/nonsense/events"], 404, /no run "nonsense"/],
    ["events after what is no number", ["GET", "/runs/there/events?after=x"], 400, /after/],
    ["all events after what is no cursor", ["GET", "/events?after=x"], 400, /id of an event/],
    ["a signal without a name", ["POST", "/runs/there:signal", {}], 400, /"name"/],
    [
      "a resolution of nothing",
      ["POST", "/runs/there:resolve", { step: "x", action: "retry", reason: "r" }],
      400,
      /no parked step|"x"/,
    ],
    ["an unknown service", ["POST", "/services/nonsense:reset"], 404, /no service/],
    ["an unknown verb", ["POST", "/runs/there:explode"], 404, /nothing at this path/],
    ["an unknown path", ["GET", "/runs/there/nonsense"], 404, /nothing at this path/],
    ["an unknown method", ["DELETE", "/runs/there"], 404, /nothing at this path/],
  ];
  for (const [what, [method, path, body], status, message] of cases) {
    await t.step(what, async () => {
      const headers = { "content-type": "application/json" };
      const answer = await server.ask(method, path, body, headers);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(answer.body.message, message);
      assert.ok(Number.isInteger(answer.body.code));
    });
  }
  await t.step("a body of another type", async () => {
    const headers = { "content-type": "text/plain" };
    const answer = await server.ask("POST", "/runs", "{}", headers);
    assert.equal(answer.status, 400);
    assert.match(answer.body.message, /application\/json/);
  });
  await t.step("a field that does not fit is named", async () => {
    const { body } = await server.ask("POST", "/runs", { workflow: 7 });
    const [, { "@type": type, field_violations: [violation] }] = body.details;
    assert.equal(type, "type.googleapis.com/google.rpc.BadRequest");
    assert.equal(violation.field, "workflow");
  });
  assert.equal((await server.ask("GET", "/runs/there")).body.status, "running");
  assert.deepEqual(server.log.filter(({ message }) => message === "request failed"), []);
});

Deno.test("a Host that is none is refused, and is no defect", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({ workflows: files.directory });
  for (const host of ["[::1", "localhost:99999", "local host"]) {
    const said = await askRaw(server.url, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.match(said, /^HTTP\/1.1 400 /, host);
  }
  assert.deepEqual(server.log.filter(({ message }) => message === "request failed"), []);
});

Deno.test("no run is started that no URL could name", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({ workflows: files.directory });
  for (const run_id of [".", ".."]) {
    const { status, body } = await server.ask("POST", "/runs", { workflow: "approval", run_id });
    assert.equal(status, 400);
    assert.match(body.message, /no URL could name it/);
  }
});

Deno.test("who asks needs a token, and a role for what they ask", async (t) => {
  await using files = await tempFiles({ "w/approval.yaml": APPROVAL, tokens: TOKENS });
  await using server = await serve({
    workflows: files.path("w"),
    args: ["--tokens", files.path("tokens")],
  });
  const request = { workflow: "approval", run_id: "r1" };
  for (const authorization of ["", "Bearer", "Bearer nonsense", "Basic vera-token", "vera-token"]) {
    await t.step(`"${authorization}" is nobody`, async () => {
      const headers = authorization === "" ? {} : { authorization };
      for (const path of ["/runs", "/events", "/openapi.json", "/metrics"]) {
        const { status, body, headers: said } = await server.ask("GET", path, undefined, headers);
        if (path === "/metrics" && status === 404) continue;
        assert.equal(status, 401, path);
        assert.equal(body.code, 16);
        assert.equal(said.get("www-authenticate"), "Bearer");
      }
      assert.equal((await server.ask("POST", "/runs", request, headers)).status, 401);
    });
  }
  assert.equal((await server.ask("GET", "/healthz")).status, 200);
  assert.equal((await server.ask("GET", "/readyz")).status, 200);

  const refused = await server.ask("POST", "/runs", request, bearer("vera"));
  assert.equal(refused.status, 403);
  assert.equal(refused.body.code, 7);
  assert.equal((await server.ask("POST", "/runs", request, bearer("otto"))).status, 200);
  assert.equal((await server.ask("GET", "/runs/r1", undefined, bearer("vera"))).status, 200);
  for (const path of ["/runs/r1:resume", "/runs:resume"]) {
    assert.equal((await server.ask("POST", path, {}, bearer("vera"))).status, 403, path);
  }
  const old = { older_than: "30d" };
  assert.equal((await server.ask("POST", "/runs:prune", old, bearer("otto"))).status, 403);
  for (const verb of ["cancel", "signal", "resolve"]) {
    const body = verb === "signal"
      ? { name: "decided" }
      : verb === "resolve"
      ? { step: "x", action: "retry", reason: "r" }
      : {};
    const answer = await server.ask("POST", `/runs/r1:${verb}`, body, bearer("vera"));
    assert.equal(answer.status, 403, verb);
  }
  for (const verb of ["forceOpen", "reset"]) {
    const asked = (who: string) =>
      server.ask("POST", `/services/nonsense:${verb}`, undefined, bearer(who));
    assert.equal((await asked("otto")).status, 403);
    assert.equal((await asked("ada")).status, 404);
  }
  assert.equal((await server.ask("POST", "/runs/r1:cancel", {}, bearer("otto"))).status, 200);
  await server.logged(({ action, who }) => action === "cancel" && who === "otto");
  const audit = server.log.filter(({ message }) => message === "audit");
  const deeds = audit.filter(({ who }) => who !== null);
  assert.deepEqual(
    deeds.map(({ who, role, action, run_id, refused }) => [who, role, action, run_id, refused]),
    [
      ["vera", "viewer", "start", "r1", "FORBIDDEN"],
      ["otto", "operator", "start", "r1", undefined],
      ["vera", "viewer", "resume", "r1", "FORBIDDEN"],
      ["vera", "viewer", "resume", undefined, "FORBIDDEN"],
      ["otto", "operator", "prune", undefined, "FORBIDDEN"],
      ["vera", "viewer", "cancel", "r1", "FORBIDDEN"],
      ["vera", "viewer", "signal", "r1", "FORBIDDEN"],
      ["vera", "viewer", "resolve", "r1", "FORBIDDEN"],
      ["otto", "operator", "forceOpen", undefined, "FORBIDDEN"],
      ["otto", "operator", "reset", undefined, "FORBIDDEN"],
      ["otto", "operator", "cancel", "r1", undefined],
    ],
  );
  assert.match(String(deeds[0]?.["why"]), /that takes the role "operator"/);
  const strangers = audit.filter(({ who }) => who === null);
  const [first] = strangers;
  assert.deepEqual(
    [first?.["action"], first?.["refused"], first?.["from"]],
    ["GET /api/v1/runs", "UNAUTHENTICATED", "127.0.0.1"],
  );
  assert.equal(strangers.length, 10, "more are counted, not told");
  assert.ok(!JSON.stringify(server.log).includes("-token"), "no token is ever logged");
});

Deno.test("tokens are taken from the file as it is by now; a broken file changes nothing", async () => {
  await using files = await tempFiles({ "w/approval.yaml": APPROVAL, tokens: TOKENS });
  await using server = await serve({
    workflows: files.path("w"),
    args: ["--tokens", files.path("tokens")],
  });
  const asks = async (name: string) =>
    (await server.ask("GET", "/runs", undefined, bearer(name))).status;
  assert.equal(await asks("zoe"), 401);
  await Deno.writeTextFile(files.path("tokens"), `zoe viewer ${sha256("zoe-token")}\n`);
  while (await asks("zoe") !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await asks("vera"), 401);
  await Deno.writeTextFile(files.path("tokens"), "zoe nonsense\n");
  while (!server.log.some(({ level }) => level === "error")) {
    assert.equal(await asks("zoe"), 200);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(await asks("zoe"), 200);
});

Deno.test("pages of others, and names that were made to point here, reach nothing", async (t) => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({
    workflows: files.directory,
    args: ["--allow-host", "Maestro.example"],
  });
  const { port, host } = new URL(server.url);
  const cases: readonly [string, string | null, number][] = [
    [host, null, 200],
    [`localhost:${port}`, null, 200],
    [`[::1]:${port}`, null, 200],
    [`maestro.example:${port}`, null, 200],
    ["maestro.example", "http://maestro.example", 200],
    [host, `http://${host}`, 200],
    [`evil.example:${port}`, null, 403],
    [`evil.example:${port}`, `http://evil.example:${port}`, 403],
    ["127.0.0.1.evil.example", null, 403],
    ["localhost.evil.example", null, 403],
    ["evil.example@localhost", null, 403],
    [host, "http://evil.example", 403],
    [host, "null", 403],
    [host, `http://localhost:${port}`, 403],
  ];
  for (const [name, origin, status] of cases) {
    await t.step(`Host: ${name}, Origin: ${origin}`, async () => {
      const said = await askRaw(
        server.url,
        `GET /api/v1/runs HTTP/1.1\r\nHost: ${name}\r\n` +
          (origin === null ? "" : `Origin: ${origin}\r\n`) + "Connection: close\r\n\r\n",
      );
      assert.match(said, new RegExp(`^HTTP/1.1 ${status} `));
      assert.doesNotMatch(said, /access-control-allow/i);
    });
  }
  await t.step("every answer forbids scripts of others, frames and guesses", async () => {
    for (const path of ["/runs", "/runs/nonsense", "/healthz", "/nonsense"]) {
      const { headers } = await server.ask("GET", path);
      assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/);
      assert.doesNotMatch(headers.get("content-security-policy") ?? "", /unsafe/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
    }
  });
});

Deno.test("other machines are listened to only with TLS and tokens, or where that is said", async (t) => {
  await using files = await tempFiles({ "w/approval.yaml": APPROVAL, tokens: TOKENS });
  const cwd = files.directory;
  const misuses: readonly (readonly string[])[] = [
    ["--http", "0.0.0.0:0"],
    ["--http", "0.0.0.0:0", "--tokens", "tokens"],
    ["--http", "[::]:0"],
    ["--http", "nonsense"],
    ["--http", "127.0.0.1:99999"],
    ["--max-runs", "0"],
    ["--tokens", "nowhere"],
    ["--tokens", "w/approval.yaml"],
    ["--tls-cert", "tokens"],
    ["--tls-cert", "tokens", "--tls-key", "tokens"],
    ["--store", "nonsense"],
    ["--workflows", "nowhere"],
  ];
  for (const args of misuses) {
    await t.step(args.join(" "), async (t) => {
      const { code, stderr } = await maestro(
        ["serve", "--workflows", "w", "--store", "memory", "--http", "127.0.0.1:0", ...args],
        { cwd },
      );
      assert.equal(code, 2, stderr);
      const last = stderr.trim().split("\n").filter((line) => line.startsWith("error")).join("\n");
      await t.assertSnapshot(last);
    });
  }
});

Deno.test(
  "a server with TLS and tokens serves other machines",
  { ignore: !hasOpenssl },
  async () => {
    await using certificates = await makeCertificates({ server: "IP:127.0.0.1" });
    await using files = await tempFiles({ "w/approval.yaml": APPROVAL, tokens: TOKENS });
    await using server = await serve({
      workflows: files.path("w"),
      ca: certificates.read("ca.crt"),
      token: "vera-token",
      args: [
        "--http",
        "0.0.0.0:0",
        "--tokens",
        files.path("tokens"),
        "--tls-cert",
        certificates.path("server.crt"),
        "--tls-key",
        certificates.path("server.key"),
      ],
    });
    assert.match(server.url, /^https:/);
    const { status } = await server.ask("GET", "/runs");
    assert.equal(status, 200);
  },
);
