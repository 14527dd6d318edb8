/**
 * The example's payments service behind a wire that loses answers, or calls.
 *
 * @module
 */
import { create, type DescMethodUnary, fromBinary } from "@bufbuild/protobuf";
import { Payments } from "../../examples/services/deno/gen/payments/v1/payments_pb.ts";
import { descriptorSetSchema } from "../../src/grpc/schema_set.ts";
import { CallError, ServicesClient } from "../examples/services_client.ts";
import {
  type Script,
  type ScriptedCall,
  type ScriptedServer,
  startServer,
  status,
} from "./grpc_server.ts";
import { fromFileUrl } from "./paths.ts";

const SET = fromFileUrl(new URL("../../examples/services/services.binpb", import.meta.url));

/**
 * Starts it in front of a real one.
 *
 * @param lost what of every `Charge` is lost: the answer, when the service has done it, or the call
 */
export async function losingPayments(
  endpoint: string,
  lost: "answer" | "call",
): Promise<ScriptedServer> {
  const client = new ServicesClient(endpoint);
  const { charge, refund, getCharge } = Payments.method;
  const pass = (method: DescMethodUnary): Script => (call) => forward(client, method, call);
  const server = await startServer({
    schema: await descriptorSetSchema(SET),
    scripts: {
      "payments.v1.Payments/Charge": async (call) => {
        if (lost === "answer") await forward(client, charge, call);
        throw status(14, "The connection broke");
      },
      "payments.v1.Payments/Refund": pass(refund),
      "payments.v1.Payments/GetCharge": pass(getCharge),
    },
  });
  const end = server[Symbol.asyncDispose].bind(server);
  return Object.assign(server, {
    [Symbol.asyncDispose]: async () => {
      client.close();
      await end();
    },
  });
}

/** Hands a call on with the keys it came with. @throws the status that it was answered with */
async function forward(
  client: ServicesClient,
  method: DescMethodUnary,
  { bytes, metadata }: ScriptedCall,
): Promise<Uint8Array> {
  const op = (["action", "compensate", "verify"] as const)
    .find((each) => each === metadata["maestro-op"]);
  const { "idempotency-key": key, "maestro-action-key": actionKey, "maestro-run-id": runId } =
    metadata;
  try {
    const request = create(method.input, fromBinary(method.input, bytes));
    return await client.callForBytes(method, request, {
      ...(key !== undefined && { key }),
      ...(actionKey !== undefined && { actionKey }),
      ...(runId !== undefined && { runId }),
      ...(op !== undefined && { op }),
    });
  } catch (thrown) {
    if (thrown instanceof CallError) throw status(thrown.code, thrown.message);
    throw thrown;
  }
}
