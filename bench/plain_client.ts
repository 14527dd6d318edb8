import type { Buffer } from "node:buffer";
import grpc from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";

/** A message of `bench.v1.Echo`. */
interface Words {
  readonly text: string;
  readonly number: string;
}

/** The two calls of `two_calls.yaml` as one would write them by hand: grpc-js with @grpc/proto-loader. */
export function plainClient(endpoint: string) {
  const proto = new URL("echo.proto", import.meta.url).pathname;
  const definition = protoLoader.loadSync(proto, { keepCase: true, longs: String, defaults: true });
  const service = definition["bench.v1.Echo"] as grpc.ServiceDefinition;
  const say = service["Say"] as grpc.MethodDefinition<Words, Words>;
  const client = new grpc.Client(endpoint, grpc.credentials.createInsecure());
  const call = (request: Words) =>
    new Promise<Words>((resolve, reject) =>
      client.makeUnaryRequest(
        say.path,
        say.requestSerialize,
        say.responseDeserialize as (bytes: Buffer) => Words,
        request,
        new grpc.Metadata(),
        { deadline: Date.now() + 30_000 },
        (error, answer) => error ? reject(error) : resolve(answer as Words),
      )
    );
  return {
    async twoCalls(text: string): Promise<Words> {
      const first = await call({ text, number: "1" });
      return await call({ text: first.text, number: first.number });
    },
    close: () => client.close(),
  };
}
