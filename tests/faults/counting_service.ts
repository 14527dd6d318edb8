/**
 * A service on loopback that counts what arrives. Like good services it does the work of one key once,
 * and answers as before.
 *
 * @module
 */
import type { Json } from "../../src/workflow/json.ts";

/** A call as it went over the wire. */
export interface WireCall {
  readonly method: string;
  readonly input: Json;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Counts what arrives. */
export class CountingService implements AsyncDisposable {
  /** The key of every call that came, in order. */
  readonly arrivals: string[] = [];
  /** Methods that fail with a code. */
  readonly failing = new Map<string, string>();
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #changed = Promise.withResolvers<void>();

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** The work that was done, in order. */
  get effects(): string[] {
    return [...new Set(this.arrivals)];
  }

  /** Lets calls of a method arrive, and keeps them without an answer until it is released. */
  hold(method: string): void {
    this.#gates.set(method, Promise.withResolvers());
  }

  /** Answers what was held. */
  release(method: string): void {
    this.#gates.get(method)?.resolve();
    this.#gates.delete(method);
  }

  /** Resolves once so many calls have come. */
  async came(calls: number): Promise<void> {
    while (this.arrivals.length < calls) await this.#changed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const method of [...this.#gates.keys()]) this.release(method);
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { method, metadata }: WireCall = await request.json();
    this.arrivals.push(metadata["idempotency-key"] ?? "");
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    await this.#gates.get(method)?.promise;
    const code = this.failing.get(method);
    return Response.json(code === undefined ? { output: { id: "1" } } : { code });
  }
}
