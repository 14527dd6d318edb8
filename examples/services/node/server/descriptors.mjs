// What the programs speak: every message and service of ../../services.binpb.

import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const path = new URL("../../services.binpb", import.meta.url);

export const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(path)),
);

/**
 * @param {string} name for example "google.rpc.Status"
 * @returns {import("@bufbuild/protobuf").DescMessage}
 */
export function message(name) {
  const found = registry.getMessage(name);
  if (!found) throw new Error(`Cannot find message in services.binpb: ${name}`);
  return found;
}

/**
 * @param {string} name for example "shipping.v1.Shipping"
 * @returns {import("@bufbuild/protobuf").DescService}
 */
export function service(name) {
  const found = registry.getService(name);
  if (!found) throw new Error(`Cannot find service in services.binpb: ${name}`);
  return found;
}

/**
 * @param {string} name for example "shipping.v1.Carrier"
 * @returns {Record<string, number>} the numbers by name: `{ CARRIER_DHL: 1, … }`
 */
export function enumeration(name) {
  const found = registry.getEnum(name);
  if (!found) throw new Error(`Cannot find enum in services.binpb: ${name}`);
  return Object.fromEntries(found.values.map((value) => [value.name, value.number]));
}
