import { PROTOS, type Script } from "../support/grpc_server.ts";

/** Waits for a signal, and gives its payload. */
export const APPROVAL = `
name: approval
version: "1"
description: Waits for a word
input: { type: object, properties: { goods: { type: string }, count: { type: integer, default: 1 } }, additionalProperties: false }
steps:
  - id: note
    set: { goods: "{{ default(.input.goods, 'none') }}" }
  - id: decision
    await_signal: decided
`;

/** Buys, and takes it back where what it bought is `bad`. */
export function shop(endpoint: string): string {
  return `
name: shop
services:
  shop:
    endpoint: "${endpoint}"
    proto: [${PROTOS}/acme/shop.proto]
    import_paths: [${PROTOS}]
    proto_service: acme.shop.v1.Shop
    attempt_timeout: 20s
steps:
  - id: buy
    service: shop
    method: Buy
    input: { sku: "{{ .input.sku }}" }
    compensate: { method: Refund, input: { sku: "{{ .input.sku }}" } }
  - id: look
    when: "{{ .input.sku == 'bad' }}"
    fail: { code: FAILED_PRECONDITION, message: It is bad }
`;
}

/** What {@linkcode shop} is answered by services that sell nothing until they are told to. */
export function closedShop(): {
  readonly scripts: Record<string, Script>;
  readonly sell: () => void;
} {
  const { promise: bought, resolve: sell } = Promise.withResolvers<void>();
  const buy: Script = async () => {
    await bought;
    return {};
  };
  return { scripts: { "acme.shop.v1.Shop/Buy": buy }, sell };
}
