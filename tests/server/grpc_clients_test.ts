/** Clients that were generated from the proto, in other languages, and tools that go by reflection. */
import assert from "node:assert/strict";
import { build, missingToolchains } from "../../examples/services/build.ts";
import { buildDirectory, programs } from "../../examples/services/programs.ts";
import { type Certificates, hasOpenssl, makeCertificates } from "../support/certificates.ts";
import { type ApiServer, startApiServer } from "../support/grpc_api.ts";
import { fromFileUrl } from "../support/paths.ts";

const CLIENTS = fromFileUrl(new URL("./clients", import.meta.url));
const BUILD = `${CLIENTS}/.build`;

/** Runs a program to its end. @returns what it printed */
async function output(command: string, args: string[], options: Deno.CommandOptions = {}) {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, ...options })
    .output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, `${command} failed: ${err}${out}`);
  return out ?? "";
}

const missing = await missingToolchains();

/** How the program of each language is made, and run. */
const LANGUAGES = {
  python: {
    prefix: "py",
    error: "NOT_FOUND",
    async build() {
      await build(programs.python);
      return [fromFileUrl(new URL("python/bin/python", buildDirectory)), "client.py"];
    },
  },
  go: {
    prefix: "go",
    error: "RUN_NOT_FOUND",
    async build() {
      await output("go", ["build", "-o", `${BUILD}/client`, "."], { cwd: `${CLIENTS}/go` });
      return [`${BUILD}/client`];
    },
  },
} as const;

async function use(language: keyof typeof LANGUAGES, server: ApiServer, ca: string[] = []) {
  const { prefix, error, build } = LANGUAGES[language];
  const [command = "", ...args] = await build();
  const address = `localhost:${server.grpc.port}`;
  const said = JSON.parse(
    await output(command, [...args, address, "act", ...ca], { cwd: `${CLIENTS}/${language}` }),
  );
  assert.deepEqual(said, {
    greet: "run_ended",
    output: { n: 1 },
    cancel: "CANCELLED",
    parked: "NEEDS_ATTENTION",
    resolve: "COMPLETED",
    list: [`runs/${prefix}-greet`, `runs/${prefix}-ship`],
    workflows: ["workflows/greet@1.0", "workflows/ship"],
    error,
  });
}

for (const language of ["python", "go"] as const) {
  const ignore = missing[language] !== undefined;
  Deno.test({
    name: `a ${language} client starts, watches, signals, cancels and resolves runs`,
    ignore,
    async fn() {
      await using server = await startApiServer();
      await use(language, server);
    },
  });
  Deno.test({
    name: `a ${language} client does so over TLS`,
    ignore: ignore || !hasOpenssl,
    async fn() {
      await using certificates = await makeCertificates({ server: "DNS:localhost" });
      await using server = await startApiServer({ certificate: certificateOf(certificates) });
      await use(language, server, [certificates.path("ca.crt")]);
    },
  });
}

function certificateOf(certificates: Certificates) {
  return { cert: certificates.read("server.crt"), key: certificates.read("server.key") };
}

Deno.test({
  name: "grpcurl finds and calls everything by reflection",
  ignore: missing.go !== undefined,
  async fn() {
    await output("go", ["install", "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3"], {
      env: { GOBIN: BUILD },
    });
    await using server = await startApiServer();
    const address = `127.0.0.1:${server.grpc.port}`;
    const grpcurl = (...args: string[]) =>
      output(`${BUILD}/grpcurl`, ["-plaintext", "-H", "authorization: Bearer act", ...args]);
    assert.deepEqual((await grpcurl(address, "list")).trim().split("\n"), [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "maestro.v1.Runs",
      "maestro.v1.Services",
      "maestro.v1.Workflows",
    ]);
    const described = await grpcurl(address, "describe");
    assert.match(described, /rpc WatchRun \( \.maestro\.v1\.WatchRunRequest \) returns \( stream/);
    assert.match(
      await grpcurl(address, "describe", "maestro.v1.Failure"),
      /map<string, string> metadata = 8;/,
    );
    const request = { workflow: "workflows/greet", runId: "curl", input: { name: "Ada" } };
    const run = JSON.parse(
      await grpcurl("-d", JSON.stringify(request), address, "maestro.v1.Runs/StartRun"),
    );
    assert.equal(run.name, "runs/curl");
    assert.equal(run.state, "RUNNING");
    await grpcurl("-d", '{"name": "runs/curl"}', address, "maestro.v1.Runs/CancelRun");
    const events = await grpcurl(
      "-d",
      '{"name": "runs/curl"}',
      address,
      "maestro.v1.Runs/WatchRun",
    );
    assert.match(events, /"kind": "run_ended"/);
  },
});
