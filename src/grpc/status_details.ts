import { fromBinary, type Registry } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { type Any, AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { AttemptFailure } from "../machines/failure.ts";
import type { Json } from "../workflow/json.ts";
import { messageToJson, unpack } from "../workflow/message_json.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "../gen/google/rpc/status_pb.ts";

/** What a `google.rpc.Status` adds to a failure. */
type Details = Pick<
  AttemptFailure,
  "reason" | "domain" | "metadata" | "details" | "retryDelay"
>;

/**
 * Decodes the trailer `grpc-status-details-bin`.
 *
 * @param code the status that the call ended with; details that speak of another one are not believed
 * @param registry finds the service's own detail types; others are given as they came
 * @returns nothing where there is no trailer, or it makes no sense: the status itself still counts
 */
export function readStatusDetails(
  trailers: { get(key: string): readonly (string | Uint8Array)[] },
  code: number,
  registry: Registry,
): Details {
  const [bytes] = trailers.get("grpc-status-details-bin");
  if (!(bytes instanceof Uint8Array)) return {};
  let status: Status;
  try {
    status = fromBinary(StatusSchema, bytes);
  } catch {
    return {};
  }
  if (status.code !== code) return {};
  return {
    details: status.details.map((detail) => detailJson(detail, registry)),
    ...errorInfo(status),
    ...retryInfo(status),
  };
}

function errorInfo({ details }: Status): Details {
  const info = firstOf(details, (detail) => anyUnpack(detail, ErrorInfoSchema));
  if (info === undefined) return {};
  return { reason: info.reason, domain: info.domain, metadata: { ...info.metadata } };
}

function retryInfo({ details }: Status): Details {
  const delay = firstOf(details, (detail) => anyUnpack(detail, RetryInfoSchema))?.retryDelay;
  if (delay === undefined) return {};
  const milliseconds = Number(delay.seconds) * 1_000 + delay.nanos / 1_000_000;
  return milliseconds >= 0 ? { retryDelay: milliseconds } : {};
}

/** The first detail that can be read as one of a type. */
function firstOf<T>(details: readonly Any[], read: (detail: Any) => T | undefined): T | undefined {
  for (const detail of details) {
    try {
      const found = read(detail);
      if (found !== undefined) return found;
    } catch {
      // Garbage under a known name: as good as absent.
    }
  }
  return undefined;
}

/** As ProtoJSON has an `Any`; what is of no known type, or not what it says it is, as it came. */
function detailJson(detail: Any, registry: Registry): Json {
  return unpack(detail, registry) === undefined
    ? { "@type": detail.typeUrl, value: base64Encode(detail.value) }
    : messageToJson(AnySchema, detail, registry);
}
