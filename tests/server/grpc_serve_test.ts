/** `maestro serve --grpc`, as a process. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from "../../src/gen/grpc/health/v1/health_pb.ts";
import { type Event, Runs } from "../../src/gen/maestro/v1/runs_pb.ts";
import { maestro } from "../cli/program.ts";
import { ApiClient, RpcFailure } from "../support/api_client.ts";
import { hasOpenssl, makeCertificates } from "../support/certificates.ts";
import { tempFiles } from "../support/temp_files.ts";
import { serve, type Serving } from "./serving.ts";
import { APPROVAL } from "./workflows.ts";

const { startRun, signalRun, watchRun, watchRuns, countRuns } = Runs.method;

async function portOf(server: Serving): Promise<number> {
  const line = await server.logged(({ message }) => message === "serving gRPC");
  return Number((line as { port: number }).port);
}

async function failureOf(call: Promise<unknown>): Promise<RpcFailure> {
  const error = await call.then(() => null, (error) => error);
  assert.ok(error instanceof RpcFailure, String(error));
  return error;
}

/** Goes on until the server has the run and says that it serves. */
async function serving(client: ApiClient): Promise<void> {
  for await (const { status } of client.watch(Health.method.watch, {})) {
    if (status === HealthCheckResponse_ServingStatus.SERVING) return;
  }
}

Deno.test("a watch goes on where it was left when the server was killed", async () => {
  await using files = await tempFiles({ "flows/approval.yaml": APPROVAL });
  const options = {
    workflows: files.path("flows"),
    store: `sqlite:${files.path("runs.db")}`,
    args: ["--grpc", "127.0.0.1:0"],
  };
  const name = "runs/r1";
  const before: Event[] = [];
  let cursor = "";
  {
    await using server = await serve(options);
    const client = new ApiClient(`127.0.0.1:${await portOf(server)}`, null);
    await serving(client);
    const all = client.watch(watchRuns, { after: "1.1" });
    await client.call(startRun, { workflow: "workflows/approval", runId: "r1" });
    cursor = (await all.next()).value!.cursor;
    const watch = client.watch(watchRun, { name });
    before.push((await watch.next()).value!.event!);
    server.kill("SIGKILL");
    assert.equal(
      (await failureOf((async () => {
        for await (const { event } of watch) before.push(event!);
      })())).code,
      "UNAVAILABLE",
    );
    client.close();
  }
  await using server = await serve(options);
  const client = new ApiClient(`127.0.0.1:${await portOf(server)}`, null);
  try {
    await serving(client);
    const after = before.at(-1)!.sequence;
    const rest: Event[] = [];
    const watching = (async () => {
      for await (const { event } of client.watch(watchRun, { name, after })) rest.push(event!);
    })();
    await client.call(signalRun, { name, signal: "decided" });
    await watching;
    const sequences = [...before, ...rest].map(({ sequence }) => Number(sequence));
    assert.deepEqual(sequences, sequences.map((_, at) => at + 1));
    assert.equal(rest.at(-1)?.kind, "run_ended");
    const seen: string[] = [];
    for await (const { event } of client.watch(watchRuns, { after: cursor })) {
      seen.push(`${event!.sequence}`);
      if (event!.kind === "run_ended") break;
    }
    assert.deepEqual(seen, sequences.slice(sequences.length - seen.length).map(String));
  } finally {
    client.close();
  }
});

Deno.test("streams over HTTP and gRPC are counted together, and health apart", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({
    workflows: files.directory,
    args: ["--grpc", "127.0.0.1:0", "--max-streams", "1"],
  });
  const client = new ApiClient(`127.0.0.1:${await portOf(server)}`, null);
  try {
    const health = client.watch(Health.method.watch, {});
    await health.next();
    const events = server.events("/events");
    assert.equal(await events.status, 200);
    assert.equal((await failureOf(client.watch(watchRuns, {}).next())).code, "RESOURCE_EXHAUSTED");
    await client.call(startRun, { workflow: "workflows/approval" });
    for await (const _ of events) break;
    health.cancel();
  } finally {
    client.close();
  }
});

Deno.test("SIGTERM ends the watches, with the word to come again, and the server", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({
    workflows: files.directory,
    args: ["--grpc", "127.0.0.1:0"],
  });
  const client = new ApiClient(`127.0.0.1:${await portOf(server)}`, null);
  try {
    await serving(client);
    await client.call(startRun, { workflow: "workflows/approval", runId: "r1" });
    const watch = client.watch(watchRun, { name: "runs/r1" });
    await watch.next();
    server.kill("SIGTERM");
    const error = await failureOf((async () => {
      for await (const _ of watch);
    })());
    assert.equal(error.code, "UNAVAILABLE");
    assert.match(error.message, /watch again, from the last event/);
    assert.equal(await server.ended(), 0);
  } finally {
    client.close();
  }
});

Deno.test({
  name: "tokens and TLS hold for gRPC as for HTTP, and for the command line",
  ignore: !hasOpenssl,
  async fn() {
    await using certificates = await makeCertificates({ server: "DNS:localhost,IP:127.0.0.1" });
    const token = "a-token-that-is-long-enough";
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
    await using files = await tempFiles({
      "flows/approval.yaml": APPROVAL,
      "tokens": `otto operator ${new Uint8Array(digest).toHex()}\n`,
      "token": token,
    });
    await using server = await serve({
      workflows: files.path("flows"),
      args: [
        "--grpc",
        "127.0.0.1:0",
        ...["--tokens", files.path("tokens")],
        ...["--tls-cert", certificates.path("server.crt")],
        ...["--tls-key", certificates.path("server.key")],
      ],
      ca: certificates.read("ca.crt"),
    });
    const address = `localhost:${await portOf(server)}`;
    const credentials = grpc.credentials.createSsl(Buffer.from(certificates.read("ca.crt")));
    const clients = [token, "another", null].map((token) =>
      new ApiClient(address, token, credentials)
    );
    const [known, unknown, nobody] = clients as [ApiClient, ApiClient, ApiClient];
    try {
      assert.equal((await known.call(countRuns, {})).counts.length, 9);
      assert.equal((await failureOf(unknown.call(countRuns, {}))).code, "UNAUTHENTICATED");
      assert.equal((await failureOf(nobody.call(countRuns, {}))).code, "UNAUTHENTICATED");
      await serving(nobody);
    } finally {
      for (const client of clients) client.close();
    }
    const url = server.url.replace("127.0.0.1", "localhost");
    const args = ["runs", "list", "--server", url, "--token-file", files.path("token")];
    const env = { DENO_CERT: certificates.path("ca.crt") };
    const trusted = await maestro(args, { cwd: files.directory, env });
    assert.deepEqual([trusted.code, trusted.stderr], [0, "No runs\n"]);
    const untrusted = await maestro(args, { cwd: files.directory });
    assert.equal(untrusted.code, 4);
    assert.match(
      untrusted.stderr,
      /Cannot reach the server at https:\/\/localhost:\d+: .*certificate/,
    );
  },
});

Deno.test("gRPC is not offered to other machines without TLS and tokens", async () => {
  await using files = await tempFiles({ "flows/approval.yaml": APPROVAL });
  const args = ["serve", "--workflows", "flows", "--store", "memory", "--http", "127.0.0.1:0"];
  for (
    const [grpc, message] of [
      ["0.0.0.0:0", /Cannot listen at --grpc 0\.0\.0\.0, .* without --tls-cert and --tls-key/],
      ["nowhere", /Cannot use --grpc "nowhere": write a host and a port/],
    ] as const
  ) {
    const { code, stderr } = await maestro([...args, "--grpc", grpc], { cwd: files.directory });
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
});
