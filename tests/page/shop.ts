/**
 * A shop's workflows and services, as the page's tests use them: what a service does is read from its
 * request, so that a person at the page decides by what they type.
 *
 * @module
 */
import type { Script, SeenCall } from "../support/world.ts";

/** The workflows by their files' names. */
export const WORKFLOWS: Readonly<Record<string, string>> = {
  "order.yaml": `# Takes an order, from stock to parcel.
name: order
version: "1.2"
description: Reserves, charges and ships an order; undoes all of it when a step fails.
input:
  type: object
  required: [customer, items]
  additionalProperties: false
  properties:
    customer: { type: string, minLength: 2, description: Who pays }
    items:
      type: array
      minItems: 1
      items:
        type: object
        required: [sku, quantity]
        properties:
          sku: { type: string, minLength: 1 }
          quantity: { type: integer, minimum: 1, default: 1 }
    shipping: { enum: [standard, express], default: standard }
    carrier: { type: string, description: Who brings it, default: parcel }
    gift: { type: boolean, description: Wrapped }
    note: { type: string }
services:
  stock: { endpoint: "stock:50051", retry: { attempts: 3, initial_delay: 300ms } }
  payments: { endpoint: "payments:50051" }
  shipping: { endpoint: "shipping:50051" }
  mail: { endpoint: "mail:50051" }
saga:
  retry: { initial_delay: 100ms }
steps:
  - set: { order_id: "{{ 'order-' + .run.id }}" }
  - id: checks
    parallel:
      - id: customer
        service: payments
        method: FindCustomer
        input: { name: "{{ .input.customer }}" }
      - id: reserve
        service: stock
        method: Reserve
        input: { items: "{{ .input.items }}", customer: "{{ .input.customer }}" }
        compensate: { method: Release, input: { id: "{{ .reserve.id }}" } }
      - id: fraud
        service: payments
        method: Score
        input: { name: "{{ .input.customer }}" }
        needs: [customer]
      - id: price
        service: stock
        method: Price
        input: { id: "{{ .reserve.id }}", rebate: "{{ .customer.rebate }}" }
        needs: [customer, reserve]
  - id: charge
    service: payments
    method: Charge
    input: { customer: "{{ .input.customer }}", amount: "{{ .price.total }}" }
    compensate: { method: Refund, input: { customer: "{{ .input.customer }}", charge: "{{ .charge.id }}" } }
  - id: label
    foreach: "{{ .input.items }}"
    concurrency: 2
    steps:
      - id: print
        service: shipping
        method: Label
        input: { sku: "{{ .item.sku }}" }
  - switch:
      - when: "{{ .input.shipping == 'express' }}"
        steps:
          - { id: fly, service: shipping, method: Fly, input: { id: "{{ .order_id }}" } }
      - steps:
          - { id: drive, service: shipping, method: Drive, input: { carrier: "{{ .input.carrier }}" } }
  - id: tell
    service: mail
    method: Tell
    input: { to: "{{ .input.customer }}" }
    catch: [{ steps: [ { id: letter, service: mail, method: Letter, input: { to: "{{ .input.customer }}" } } ] }]
output: { order: "{{ .order_id }}", paid: "{{ .price.total }}" }
`,
  "approval.yaml": `name: approval
version: "1.0"
description: Waits for somebody to say yes.
services: { mail: { endpoint: "mail:50051" } }
steps:
  - { id: approval, await_signal: approval, timeout: 24h }
  - { id: thanks, service: mail, method: Tell, input: { to: "{{ .approval.by }}" } }
`,
  "broken.yaml": `name: broken
steps:
  - id: call
    servce: mail
`,
};

/** What the services do. */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  "payments/FindCustomer": { answer: { id: "c-7", rebate: 5 }, after: 150 },
  "payments/Score": { answer: { score: 3 }, after: 250 },
  "payments/Charge": (call) => ({ answer: { id: "ch-42" }, after: patience(call) }),
  // The account is closed; with another customer in the request the refund goes through.
  "payments/Refund": (call) =>
    field(call, "customer") === "Closed Account"
      ? { fail: "PERMISSION_DENIED", after: 100, metadata: { account: "closed" } }
      : { answer: {}, after: patience(call) },
  "stock/Reserve": ({ attempt }) =>
    attempt === 1 ? { fail: "UNAVAILABLE", after: 100 } : { answer: { id: "res-1" }, after: 200 },
  "stock/Release": { answer: {}, after: 150 },
  "stock/Price": { answer: { total: 129 }, after: 150 },
  "shipping/Label": { answer: { url: "labels/1.pdf" }, after: 200 },
  "shipping/Fly": { answer: {}, after: 200 },
  "shipping/Drive": (call) =>
    field(call, "carrier") === "nobody"
      ? { fail: "FAILED_PRECONDITION", after: 150 }
      : { answer: {}, after: 200 },
  "mail/Tell": (call) =>
    field(call, "to") === "Nobody Home"
      ? { fail: "NOT_FOUND", after: 100 }
      : { answer: {}, after: 100 },
  "mail/Letter": { answer: { by: "post" }, after: 100 },
};

/** Slow customers take as long as somebody needs to see it. */
function patience(call: SeenCall): number {
  return String(field(call, "customer")).startsWith("Slow") ? 3_000 : 200;
}

function field({ input }: SeenCall, name: string): unknown {
  return (input as Readonly<Record<string, unknown>>)[name]; // a request is an object
}
