// Certificates on both sides, against the services in Go, Python and Node: a run that gets through,
// and those that don't, each with its own reason.

import assert from "node:assert/strict";
import type { RunReport } from "../../mod.ts";
import { type Certificates, hasOpenssl, makeCertificates } from "../support/certificates.ts";
import { type ExampleServices, lacksTools, startExamples } from "../support/example_services.ts";
import { runToEnd } from "../support/running.ts";

const SUBJECTS = [
  ["go", "payments", "GetCharge"],
  ["python", "inventory", "GetReservation"],
  ["node", "shipping", "GetShipment"],
] as const;

type Subject = typeof SUBJECTS[number];

/**
 * For how long grpc-js's timers may run on where a connection could not be made, in milliseconds.
 * They hold nothing up, but the sanitizer sees them.
 */
const LINGERS = 1_300;

/** What a workflow says under `tls`. */
interface Tls {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

for (const subject of SUBJECTS) {
  const [language] = subject;
  const name = `mutual TLS with the services in ${language}`;

  if (!hasOpenssl) console.warn(`SKIPPED: "${name}" needs openssl`);
  Deno.test({
    name,
    ignore: lacksTools(name, [language]) || !hasOpenssl,
    async fn(t) {
      const alternatives = { server: "DNS:localhost,IP:127.0.0.1", client: "DNS:client" };
      await using _lingering = { [Symbol.asyncDispose]: () => pause(LINGERS) };
      await using own = await makeCertificates(
        { ...alternatives, expired: alternatives.server },
        "own",
      );
      await using other = await makeCertificates(alternatives, "other");
      const tlsOf = (certificate: string) => ({
        cert: own.path(`${certificate}.crt`),
        key: own.path(`${certificate}.key`),
        clientCa: own.path("ca.crt"),
      });
      await using good = await startExamples({ languages: [language], tls: tlsOf("server") });
      await using old = await startExamples({ languages: [language], tls: tlsOf("expired") });

      await t.step("both show their certificates, and the call goes through", async () => {
        const { error } = await ask(good, subject, filesOf(own, "client"));
        assert.deepEqual(
          [error?.code, error?.outcome],
          ["NOT_FOUND", "rejected"],
          `${error?.message}`,
        );
      });

      await t.step("the server's certificate has expired", async () => {
        const report = await ask(old, subject, filesOf(own, "client"));
        refused(
          report,
          subject,
          /Maestro refuses its certificate: it expired on 2020-02-01T00:00:00Z/,
        );
      });

      await t.step("the server's certificate is not of an authority that is trusted", async () => {
        const report = await ask(good, subject, {
          ...filesOf(own, "client"),
          ca: other.path("ca.crt"),
        });
        refused(report, subject, /Maestro refuses its certificate: .* does not hold the authority/);
      });

      await t.step("the server wants a certificate, and the workflow names none", async () => {
        const report = await ask(good, subject, { ca: own.path("ca.crt") });
        refused(
          report,
          subject,
          /it refuses callers without a certificate: give "tls.cert" and "tls.key"/,
        );
      });

      await t.step("the server does not trust the workflow's certificate", async () => {
        const report = await ask(good, subject, {
          ...filesOf(other, "client"),
          ca: own.path("ca.crt"),
        });
        refused(report, subject, /it refuses the certificate in ".*client\.crt"/);
      });
    },
  });
}

/** Asks for something that isn't there: whoever hears so got through. */
async function ask(
  examples: ExampleServices,
  [, service, method]: Subject,
  tls: Tls,
): Promise<RunReport> {
  const endpoint = examples.services.endpoints[service]?.replace("127.0.0.1", "localhost");
  return await runToEnd(`name: tls
services:
  ${service}:
    endpoint: "${endpoint}"
    attempt_timeout: 5s
    circuit_breaker: false
    tls: ${JSON.stringify(tls)}
steps:
  - { id: ask, service: ${service}, method: ${method}, input: { order_id: none } }
`);
}

function refused(report: RunReport, [, service]: Subject, why: RegExp): void {
  assert.equal(report.status, "failed");
  assert.equal(report.error?.code, "UNAVAILABLE", `${report.error?.message}`);
  assert.equal(report.error.outcome, "not_sent");
  assert.match(report.error.message, new RegExp(`^Cannot reach "${service}" at localhost:`));
  assert.match(report.error.message, why);
}

function filesOf(own: Certificates, client: string): Tls {
  return {
    ca: own.path("ca.crt"),
    cert: own.path(`${client}.crt`),
    key: own.path(`${client}.key`),
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
