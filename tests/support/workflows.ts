/** The first workflow of language.md, to the letter. */
export const FIRST = `name: user_onboarding
version: "1.0"
timeout: 30s

services:
  auth:
    type: grpc
    endpoint: "auth-service:50051"
    retry:
      attempts: 3
      backoff: exponential

steps:
  - id: create_user
    service: auth
    method: CreateUser
    input:
      email: "{{ .input.email }}"
    output: user
    compensate:
      method: DeleteUser
      input:
        id: "{{ .user.id }}"
`;

/** Every form and setting there is, without an error or a warning. */
export const FULL = `name: full.workflow-2
version: "2.1"
description: Everything there is
timeout: 10m
include: shared.yaml
x-owner: { team: payments }
x-retry: &patient
  attempts: 5
  codes: [ABORTED]
input:
  type: object
  required: [sku]
  properties:
    sku: { type: string, minLength: 1 }
    tenant: { $ref: "#/$defs/tenant" }
    tier: { enum: [gold, silver], default: silver }
  $defs:
    tenant: { type: string, pattern: "^[a-z]+$" }
defaults:
  attempt_timeout: 5s
  metadata: { x-region: "{{ .env.REGION }}" }
  circuit_breaker: { window: 20, on_open: fail }
  retry: { budget: { max_tokens: 50 } }
services:
  payments:
    endpoint: "{{ .env.PAYMENTS_HOST }}:50051"
    proto: [protos/payments.proto]
    import_paths: [protos]
    proto_service: acme.payments.v1.Payments
    tls: { ca: certs/ca.pem, cert: certs/me.pem, key: certs/me.key, server_name: payments }
    metadata: { authorization: "Bearer {{ .secrets.PAYMENTS_TOKEN }}" }
    retry: { attempts: 4, backoff: constant, initial_delay: 100ms, max_delay: 1s, multiplier: 1.5, jitter: 0, budget: { token_ratio: 0.2 } }
    circuit_breaker:
      failure_rate: 25
      min_calls: 5
      window: 30s
      open_for: 1s
      max_open_for: 4s
      half_open_calls: 2
      slow_call: 2s
      slow_call_rate: 80
      failure_codes: [UNAVAILABLE]
    load_balancing: round_robin
    compression: gzip
    max_message_size: 512KiB
    pool: { channels: 2, max_concurrent: 20 }
    rate_limit: 100/s
    max_messages: 500
  stock:
    endpoint: "dns:///stock:50051"
    circuit_breaker: false
    health: false
  audit:
    endpoint: "audit:50051"
    circuit_breaker: { scope: method }
    pool: { max_concurrent: 5 }
    rate_limit: 6000/m
    health: { service: acme.audit.v1.Audit }
saga: { retry: { initial_delay: 2s, max_delay: 30s }, give_up_after: 1h }
steps:
  - id: item
    service: stock
    method: GetItem
    input: { sku: "{{ .input.sku }}" }
  - id: checkout
    parallel:
      - id: charge
        service: payments
        method: acme.payments.v1.Payments/Charge
        input: { amount: "{{ .item.price }}" }
        metadata: { X-Tenant: "{{ .input.tenant }}", authorization: "{{ .secrets.OTHER }}" }
        retry: *patient
        attempt_timeout: 2s
        idempotent: false
        compensate: { method: Refund, input: { id: "{{ .charge.id }}" } }
        verify:
          method: FindCharge
          input: { order: "{{ .run.id }}" }
          result: { id: "{{ .charge.charge_id }}" }
        catch:
          - codes: [FAILED_PRECONDITION, CIRCUIT_OPEN]
            reason: CARD_DECLINED
            when: "{{ .error.message.contains('limit') }}"
            undo: true
            steps:
              - id: fallback
                service: payments
                method: ChargeLater
                input: { why: "{{ .error.code }}" }
                compensate: { method: Refund, input: { run: "{{ .run.id }}" } }
            result: { id: "{{ .fallback.id }}", late: true }
          - result: { id: "", late: false }
      - id: reserve
        needs: [charge]
        steps:
          - id: hold
            service: stock
            method: Hold
            input: { sku: "{{ .item.sku }}", charge: "{{ .charge.id }}" }
            verify: { service: audit, method: Find, metadata: { x-a: "1" }, attempt_timeout: 1s, max_messages: 2 }
            compensate:
              steps:
                - id: released
                  service: stock
                  method: Release
                  input: { id: "{{ .hold.id }}" }
                - service: stock
                  method: Audit
                  input: { text: "{{ .released.note }} {{ .run.id }}" }
          - set: { label: "{{ .hold.label }}" }
    concurrency: 2
    on_failure: finish
    timeout: 1m
  - id: tier
    switch:
      - when: "{{ .input.tier == 'gold' && .steps.charge.status == 'completed' }}"
        steps:
          - id: perks
            service: stock
            method: AddPerks
            compensate: { service: stock, method: RemovePerks }
          - return: { label: "{{ .label }}", tier: gold }
      - steps:
          - when: "{{ .hold.amount > 3 }}"
            fail: { code: FAILED_PRECONDITION, message: "No stock for {{ .input.sku }}" }
          - set: { note: "none" }
    output: chosen
  - id: ship
    foreach: "{{ .item.parcels }}"
    as: parcel
    concurrency: 5
    on_failure: finish
    steps:
      - id: sent
        service: stock
        method: Ship
        input: { id: "{{ .parcel.id }}", at: "{{ .parcel_index }}" }
        compensate: { method: Unship, input: { id: "{{ .parcel.id }}" } }
    result: "{{ .sent.url }}"
    output: labels
    catch: [{ steps: [{ set: { none: [] } }], result: "{{ .none }}" }]
  - foreach: [a, "{{ .input.sku }}"]
    as: sku
    steps: [{ when: "{{ .sku == 'b' }}", service: stock, method: GetItem, input: { sku: "{{ .sku }}" } }]
  - id: settled
    repeat:
      - service: payments
        method: GetCharge
        input: { id: "{{ .charge.id }}", after: "{{ default(.state.token, '') }}" }
        output: state
    until: "{{ .state.status == 'SETTLED' }}"
    every: 2s
    max_rounds: 100
    result: "{{ .state.status }}"
    timeout: 10m
  - wait: 0s
  - wait: { until: "2030-01-31T08:00:00+01:00" }
  - wait: { until: "{{ .input.at }}" }
    when: "{{ .settled == 'SETTLED' }}"
  - id: approval
    await_signal: approval
    timeout: 24h
    catch:
      - codes: [STEP_TIMEOUT]
        steps: [{ return: { approved: false } }]
  - id: invoice
    workflow: billing/invoice.yaml
    input: { labels: "{{ .labels }}", by: "{{ .approval.by }}" }
    compensate: { service: audit, method: Void, input: { id: "{{ .invoice.id }}" } }
    catch: [{ codes: [CHILD_FAILED], result: { id: "" } }]
  - id: capture
    service: payments
    method: Capture
    input: { id: "{{ .charge.id }}", invoice: "{{ .invoice.id }}" }
    pivot: true
  - id: log
    service: audit
    method: Append
    input:
      - { text: "{{ .run.id }}" }
      - "{{ .chosen }}"
    max_messages: 10
    idempotent: true
output: { ok: true, chosen: "{{ .chosen }}", checkout: "{{ .checkout }}" }
`;

/** The other files of {@linkcode FULL}. */
export const FULL_FILES = {
  "shared.yaml": "services: {}\n",
  "billing/invoice.yaml": `name: invoice
include: services.yaml
input: { required: [labels] }
steps:
  - id: written
    service: invoices
    method: Write
    input: { lines: "{{ .input.labels }}" }
    metadata: { authorization: "{{ .secrets.INVOICES_TOKEN }}" }
`,
  "billing/services.yaml": `services: { invoices: { endpoint: "{{ .env.INVOICES_HOST }}:1" } }\n`,
};
