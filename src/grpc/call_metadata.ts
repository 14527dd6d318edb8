import type { Metadata, MetadataValue } from "@grpc/grpc-js";
import type { GrpcJs } from "./grpc_js.ts";

/** What a call's metadata is made of: keys in lower case and text values, both checked. */
export type Headers = Readonly<Record<string, string>>;

/** Makes metadata of headers. */
export type MakeMetadata = (headers: Headers) => Metadata;

/**
 * Metadata as grpc-js takes it, without what its own costs: it would check every key and value again,
 * and copy them all three times on the way of one call. Here the headers stay as they are, and only
 * what grpc-js itself adds is kept and copied beside them: keys that begin with `grpc-`, which no
 * header has.
 */
export function metadataMaker({ Metadata }: GrpcJs): MakeMetadata {
  class CallMetadata extends Metadata {
    readonly #headers: Headers;

    constructor(headers: Headers) {
      super();
      this.#headers = headers;
    }

    override get(key: string): MetadataValue[] {
      const own = this.#headers[key.toLowerCase()];
      return own === undefined ? super.get(key) : [own];
    }

    override getMap(): { [key: string]: MetadataValue } {
      return { ...super.getMap(), ...this.#headers };
    }

    override clone(): Metadata {
      const copy = new CallMetadata(this.#headers);
      copy.setOptions(this.getOptions());
      copy.merge(this);
      return copy;
    }

    override toHttp2Headers(): ReturnType<Metadata["toHttp2Headers"]> {
      return Object.assign(super.toHttp2Headers(), this.#headers);
    }

    override toJSON(): { [key: string]: MetadataValue[] } {
      const json = super.toJSON();
      for (const key in this.#headers) json[key] = this.get(key);
      return json;
    }
  }
  return (headers) => new CallMetadata(headers);
}
