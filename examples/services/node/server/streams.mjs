// Handlers of streaming methods, and which of their calls have not ended.

import { once } from "node:events";
import { setImmediate } from "node:timers/promises";

/**
 * A grpc-js handler of a client's stream. It gets the list of the messages once all are there: a
 * stream that breaks off does nothing.
 *
 * @template Request, Response
 * @param {(requests: Request[], metadata: import("@grpc/grpc-js").Metadata) => Response} handle
 * @returns {import("@grpc/grpc-js").handleClientStreamingCall<Request, Response>}
 */
export function collecting(handle) {
  return async (call, callback) => {
    try {
      const requests = [];
      for await (const request of call) requests.push(request);
      // Where a stream breaks off, grpc-js tells of its end first, and of the cancellation after.
      await setImmediate();
      if (call.cancelled) return;
      callback(null, handle(requests, call.metadata));
    } catch (error) {
      // Nobody is there to be told of a call that was cancelled.
      if (!call.cancelled) callback(error);
    }
  };
}

/**
 * A grpc-js handler that answers with a stream.
 *
 * @template Request, Response
 * @param {(request: Request, signal: AbortSignal) => Iterable<Response> | AsyncIterable<Response>} handle
 *   what it gives are the answers, what it throws is the status; the signal is aborted when nobody
 *   waits any more
 * @returns {import("@grpc/grpc-js").handleServerStreamingCall<Request, Response>}
 */
export function streaming(handle) {
  return (call) => answerAll(call, (signal) => handle(call.request, signal));
}

/**
 * A grpc-js handler that answers a client's stream with another one.
 *
 * @template Request, Response
 * @param {(requests: AsyncIterable<Request>, signal: AbortSignal) => AsyncIterable<Response>} handle
 * @returns {import("@grpc/grpc-js").handleBidiStreamingCall<Request, Response>}
 */
export function conversing(handle) {
  return (call) => {
    // Who stops asking has not stopped answering.
    const requests = call.iterator({ destroyOnReturn: false });
    return answerAll(call, (signal) => handle(requests, signal));
  };
}

async function answerAll(call, handle) {
  const cancelled = new AbortController();
  call.on("cancelled", () => cancelled.abort());
  const { signal } = cancelled;
  try {
    for await (const response of handle(signal)) {
      if (signal.aborted) return;
      if (!call.write(response)) await once(call, "drain", { signal });
    }
    call.end();
  } catch (error) {
    if (!signal.aborted) call.emit("error", error);
  }
}

/** The streaming calls that have not ended, for who wants to see that a cancelled call ends here too. */
export class OpenStreams {
  #open = new Set();

  /**
   * Watches over a service's streams.
   *
   * @param {import("@bufbuild/protobuf").DescService} service
   * @param {import("@grpc/grpc-js").UntypedServiceImplementation} handlers
   * @returns {import("@grpc/grpc-js").UntypedServiceImplementation}
   */
  watch(service, handlers) {
    const streams = service.methods.filter(({ methodKind }) => methodKind !== "unary");
    return {
      ...handlers,
      ...Object.fromEntries(
        streams.map((method) => [method.localName, this.#watched(method, handlers)]),
      ),
    };
  }

  /** Those of a run, or all. */
  list(runId) {
    return [...this.#open].filter((stream) => runId === "" || runId === stream.runId);
  }

  #watched(method, { [method.localName]: handle }) {
    return (call, callback) => {
      const stream = {
        method: `${method.parent.typeName}/${method.name}`,
        runId: call.metadata.get("maestro-run-id")[0]?.toString() ?? "",
      };
      this.#open.add(stream);
      const ended = () => this.#open.delete(stream);
      call.on("cancelled", ended);
      call.on("finish", ended);
      handle(call, (...answer) => {
        ended();
        callback(...answer);
      });
    };
  }
}
