import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MaestroError } from "../errors.ts";
import type { Service } from "../workflow/model.ts";
import { didYouMean } from "../workflow/nearest.ts";
import type { Schema } from "./schema.ts";

/** At most this many methods are listed in a message. */
const LISTED = 20;

/**
 * Finds `Charge`, `Payments/Charge` or `acme.v1.Payments/Charge`.
 *
 * @throws {MaestroError} `METHOD_NOT_FOUND`, where it is missing or ambiguous
 */
export function findMethod(
  schema: Schema,
  service: Pick<Service, "name" | "protoService">,
  wanted: string,
): DescMethod {
  const slash = wanted.lastIndexOf("/");
  const bare = wanted.slice(slash + 1);
  const services = slash < 0
    ? narrowed(schema, service)
    : schema.services.filter((one) => isNamed(one, wanted.slice(0, slash).replace(/^\//, "")));
  const found = services.flatMap((one) => one.methods.filter(({ name }) => name === bare));
  const [method, ...others] = found;
  if (method === undefined) throw missing(schema, wanted, services);
  if (others.length > 0) {
    throw new MaestroError(
      "METHOD_NOT_FOUND",
      `Cannot tell which "${wanted}" of "${service.name}" is meant: ${
        found.map(methodName).join(" or ")
      }; name one in full, or set the service's "proto_service"`,
    );
  }
  return method;
}

/** `acme.v1.Payments/Charge`. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** Where `method: Charge` looks: in `proto_service`, else everywhere but in gRPC's own services. */
function narrowed(
  schema: Schema,
  { protoService }: Pick<Service, "protoService">,
): readonly DescService[] {
  if (protoService === null) {
    return schema.services.filter((one) => !one.typeName.startsWith("grpc."));
  }
  const services = schema.services.filter((one) => isNamed(one, protoService));
  if (services.length > 0) return services;
  const names = schema.services.map((one) => one.typeName);
  const guess = didYouMean(protoService, names);
  throw new MaestroError(
    "METHOD_NOT_FOUND",
    `Cannot find the "proto_service" ${protoService} in ${schema.origin}` +
      `${guess === "" ? "; it" : `${guess} It`} has ${list(names, "no service")}`,
  );
}

function isNamed(service: DescService, name: string): boolean {
  return service.typeName === name || service.typeName.endsWith(`.${name}`);
}

function missing(
  schema: Schema,
  wanted: string,
  services: readonly DescService[],
): MaestroError {
  // Where the service part is wrong too, everything there is may have been meant.
  const methods = (services.length > 0 ? services : schema.services).flatMap((one) => one.methods);
  const full = methods.map(methodName);
  const names = wanted.includes("/")
    ? [...full, ...methods.map((one) => `${one.parent.name}/${one.name}`)]
    : methods.map((one) => one.name);
  const guess = didYouMean(wanted, names);
  return new MaestroError(
    "METHOD_NOT_FOUND",
    `Cannot find the method "${wanted}" in ${schema.origin}` +
      `${guess === "" ? "; it" : `${guess} It`} has ${list(full, "no method")}`,
  );
}

function list(names: readonly string[], none: string): string {
  if (names.length === 0) return none;
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
