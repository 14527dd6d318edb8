/** A server that is told to stop ends in time, whatever hangs. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import grpc from "@grpc/grpc-js";
import { startServer, status } from "../support/grpc_server.ts";
import { tempFiles } from "../support/temp_files.ts";
import { serve } from "./serving.ts";
import { shop } from "./workflows.ts";

const BUY = "acme.shop.v1.Shop/Buy";
const REFUND = "acme.shop.v1.Shop/Refund";

const TICK = `name: tick
schedule: { cron: "* * * * * *" }
steps: [ { set: { n: 1 } } ]
`;

/** Takes every connection, and never answers. */
class Silence implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #taken: Deno.Conn[] = [];
  readonly #taking = (async () => {
    for await (const connection of this.#listener) this.#taken.push(connection);
  })();

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`; // it listens on TCP
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#taking;
    for (const connection of this.#taken) connection.close();
  }
}

/** Begins a request, whose body does not come. */
async function askSlowly(url: string): Promise<Deno.Conn> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const head =
    "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
    "Content-Length: 100\r\n\r\n{";
  await connection.write(new TextEncoder().encode(head));
  return connection;
}

for (const what of ["a store", "no store"]) {
  Deno.test(`serve ends in time where requests, collector, webhook and ${what} hang`, async () => {
    const answer = Promise.withResolvers<Record<string, never>>();
    const asked = Promise.withResolvers<void>();
    await using services = await startServer({
      scripts: {
        [BUY]: ({ request }) => {
          if ((request as { sku: string }).sku !== "slow") return {};
          asked.resolve();
          return answer.promise;
        },
        [REFUND]: () => {
          throw status(grpc.status.PERMISSION_DENIED, "Not you");
        },
      },
    });
    await using silence = new Silence();
    await using files = await tempFiles({
      "w/shop.yaml": shop(services.endpoint),
      "w/tick.yaml": TICK,
      "key": "k3y",
    });
    const path = files.path("runs.db");
    const options = { workflows: files.path("w"), store: `sqlite:${path}` };
    {
      await using server = await serve({
        ...options,
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: silence.url, OTEL_BSP_SCHEDULE_DELAY: "10" },
        args: ["--on-attention", silence.url, "--on-attention-secret", files.path("key")],
      });
      const request = { workflow: "shop" };
      await server.ask("POST", "/runs", { ...request, run_id: "r1", input: { sku: "bad" } });
      await server.ask("POST", "/runs", { ...request, run_id: "r2", input: { sku: "slow" } });
      await server.logged(({ message }) => message === "waits for an operator");
      await asked.promise;
      using _slow = await askSlowly(server.url);
      using locker = new DatabaseSync(path);
      if (what === "a store") locker.exec("BEGIN EXCLUSIVE");
      const started = server.ask("POST", "/runs", { ...request, run_id: "r3" }).catch(() => {});
      answer.resolve({});
      // Until the store was asked to take the answer, and what the clock starts.
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      const since = performance.now();
      server.kill("SIGTERM");
      assert.equal(await server.ended(), 0);
      assert.ok(performance.now() - since < 10_000, "it was promised to end within 10 s");
      await started;
      const said = server.log.map(({ message }) => String(message));
      assert.ok(said.includes("attention webhook failed"));
      assert.equal(said.some((line) => /store hangs/.test(line)), what === "a store");
      assert.ok(said.includes("stopped"));
    }
    const told = Promise.withResolvers<unknown>();
    await using hook = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        told.resolve((await request.json()).data.run_id);
        return new Response();
      },
    );
    await using server = await serve({
      ...options,
      args: [
        "--on-attention",
        `http://127.0.0.1:${hook.addr.port}/`,
        "--on-attention-secret",
        files.path("key"),
      ],
    });
    assert.equal(await told.promise, "r1", "who could not be told then is told now");
    for await (const { event } of server.events("/runs/r2/events")) if (event === "end") break;
    assert.equal((await server.ask("GET", "/runs/r2")).body.status, "completed");
    assert.equal((await server.ask("GET", "/runs/r1")).body.status, "needs_attention");
  });
}
