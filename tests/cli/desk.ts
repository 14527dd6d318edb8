/** A gRPC service on loopback for the program's tests, and workflows that call it. */
import * as grpc from "@grpc/grpc-js";
import * as loader from "@grpc/proto-loader";

const PROTO = `syntax = "proto3";
package desk.v1;
service Desk {
  rpc Do(Note) returns (Note);
  rpc Undo(Note) returns (Note);
  rpc Slow(Note) returns (Note);
  rpc Refuse(Note) returns (Note);
  rpc Deny(Note) returns (Note);
}
message Note { string text = 1; }
`;

interface Note {
  readonly text: string;
}

type Call = grpc.ServerUnaryCall<Note, Note>;
type Reply = grpc.sendUnaryData<Note>;

/** The service, its calls, and a folder with its schema. */
export class Desk {
  /** `Method text`, in order. */
  readonly calls: string[] = [];
  readonly #server = new grpc.Server();
  #waiting: (() => void)[] = [];
  #held: (() => void)[] | null = [];

  private constructor(readonly folder: string) {}

  /** Starts it, on any port. */
  static async start(): Promise<Desk> {
    const desk = new Desk(await Deno.makeTempDir({ prefix: "maestro_desk_" }));
    await Deno.writeTextFile(`${desk.folder}/desk.proto`, PROTO);
    const definition = await loader.load(`${desk.folder}/desk.proto`);
    const service = definition["desk.v1.Desk"] as grpc.ServiceDefinition; // the one there is
    desk.#server.addService(service, desk.#handlers());
    const bound = Promise.withResolvers<number>();
    desk.#server.bindAsync(
      "127.0.0.1:0",
      grpc.ServerCredentials.createInsecure(),
      (error, port) => error === null ? bound.resolve(port) : bound.reject(error),
    );
    desk.port = await bound.promise;
    return desk;
  }

  port = 0;

  /** `host:port`. */
  get endpoint(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Resolves with the next call of `Slow`, which is then under way. */
  slowCall(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    return promise;
  }

  /** Has the calls of `Slow` answered, those under way and those to come. */
  release(): void {
    for (const answer of this.#held ?? []) answer();
    this.#held = null;
  }

  /** Writes a workflow into the folder. @returns its name */
  async workflow(name: string, steps: string, head = ""): Promise<string> {
    const text = `name: ${name}
version: "1.0"
${head}
services:
  desk:
    endpoint: "${this.endpoint}"
    proto: [desk.proto]
    attempt_timeout: 20s
    retry: { attempts: 3, initial_delay: 50ms, jitter: 0 }
steps:
${steps}
`;
    await Deno.writeTextFile(`${this.folder}/${name}.yaml`, text);
    return `${name}.yaml`;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.#server.forceShutdown();
    await Deno.remove(this.folder, { recursive: true });
  }

  #handlers(): grpc.UntypedServiceImplementation {
    const answer =
      (method: string, reply: (call: Call, callback: Reply) => void) =>
      (call: Call, callback: Reply) => {
        this.calls.push(`${method} ${call.request.text}`);
        reply(call, callback);
      };
    const refuse = (code: grpc.status, details: string) => (_: Call, callback: Reply) =>
      callback({ code, details });
    const handlers: Record<string, grpc.handleUnaryCall<Note, Note>> = {
      Do: answer("Do", (call, callback) => callback(null, call.request)),
      Undo: answer("Undo", (call, callback) => callback(null, call.request)),
      Slow: answer("Slow", (call, callback) => {
        for (const hear of this.#waiting.splice(0)) hear();
        if (this.#held === null) return callback(null, call.request);
        const answer = () => callback(null, call.request);
        this.#held.push(answer);
        call.on("cancelled", () => {
          if (this.#held?.includes(answer)) this.calls.push("Slow was cancelled");
        });
      }),
      Refuse: answer(
        "Refuse",
        refuse(grpc.status.FAILED_PRECONDITION, "No desk for ada@example.com"),
      ),
      Deny: answer("Deny", refuse(grpc.status.PERMISSION_DENIED, "Not you, token-12345")),
    };
    return handlers as unknown as grpc.UntypedServiceImplementation; // loaded at run time, so untyped
  }
}

/** Steps: one that is done, and can be undone. */
export const DONE = `  - id: first
    service: desk
    method: Do
    input: { text: "{{ .input.text }}" }
    compensate: { method: Undo, input: { text: "{{ .first.text }}" } }
`;

/** A test with a service of its own. */
export function deskTest(
  name: string,
  run: (desk: Desk, t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test(name, async (t) => {
    const desk = await Desk.start();
    try {
      await run(desk, t);
    } finally {
      await desk.stop();
    }
  });
}
