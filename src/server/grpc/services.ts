import { create } from "@bufbuild/protobuf";
import { MaestroError } from "../../errors.ts";
import { type Services, ServiceSchema } from "../../gen/maestro/v1/services_pb.ts";
import type { Operations } from "../operations.ts";
import { serviceIdOf, serviceName } from "./names.ts";
import { pageOf } from "./pages.ts";
import { applyReadMask } from "./read_mask.ts";
import type { Methods } from "./rpc.ts";
import { serviceMessage } from "./service_message.ts";

/** `maestro.v1.Services` over the operations. */
export function servicesService(operations: Operations): Methods<typeof Services> {
  return {
    listServices(request) {
      const { items, nextPageToken } = pageOf(
        operations.listServices(),
        request,
        ({ id }) => serviceName(id),
      );
      return { services: items.map(serviceMessage), nextPageToken };
    },
    getService({ name, readMask }) {
      const wanted = serviceIdOf(name);
      const found = operations.listServices().find(({ id }) => id === wanted);
      if (found === undefined) {
        throw new MaestroError("SERVICE_NOT_FOUND", `There is no service "${wanted}"`);
      }
      return applyReadMask(ServiceSchema, create(ServiceSchema, serviceMessage(found)), readMask);
    },
    forceOpenService({ name }, { who }) {
      return serviceMessage(operations.forceOpen(serviceIdOf(name), who));
    },
    resetService({ name }, { who }) {
      return serviceMessage(operations.reset(serviceIdOf(name), who));
    },
  };
}
