import { Buffer } from "node:buffer";
import { checkServerIdentity } from "node:tls";
import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import { MaestroError } from "../errors.ts";
import type { TlsRule } from "../workflow/service_rules.ts";
import { whyUnreadable } from "../workflow/unreadable.ts";
import type { GrpcJs } from "./grpc_js.ts";
import { belongTogether } from "./own_certificate.ts";

/** What has to be in each file. */
const CONTENTS = {
  ca: /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/,
  cert: /-----BEGIN CERTIFICATE-----/,
  key: /-----BEGIN (?:\w+ )*PRIVATE KEY-----/,
} as const;

/** The contents of a service's TLS files, in PEM form. */
export interface TlsFiles {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** Stands in for a server's name where there is only an IP address, which Deno refuses to send. */
export const NO_NAME = "ip-address.invalid";

/**
 * Reads the files that a rule names, as it names them.
 *
 * @throws {MaestroError} `USAGE`, naming the service, the key and the file
 */
export async function readTlsFiles(service: string, rule: TlsRule): Promise<TlsFiles> {
  if ((rule.cert === null) !== (rule.key === null)) {
    const [there, absent] = rule.cert === null ? ["key", "cert"] : ["cert", "key"];
    throw new MaestroError(
      "USAGE",
      `Cannot use the tls of "${service}": it has "${there}" and no "${absent}"; mutual TLS needs both`,
    );
  }
  const read = async (key: "ca" | "cert" | "key") => {
    const path = rule[key];
    if (path === null) return null;
    try {
      const text = await Deno.readTextFile(path);
      if (CONTENTS[key].test(text)) return text;
    } catch (error) {
      throw new MaestroError(
        "USAGE",
        `Cannot read the file "${path}" that "${service}" names as "tls.${key}": ${
          whyUnreadable(error)
        }`,
        { cause: error },
      );
    }
    throw new MaestroError(
      "USAGE",
      `Cannot use the file "${path}" that "${service}" names as "tls.${key}": it holds no ${
        key === "key" ? "private key" : "certificate"
      } in PEM form`,
    );
  };
  // One after the other, so that of several bad files it is always the same one that is named.
  return { ca: await read("ca"), cert: await read("cert"), key: await read("key") };
}

/** Names a state of the files: it changes when one is replaced. */
export async function tlsStamp(rule: TlsRule): Promise<string> {
  const stamps = [rule.ca, rule.cert, rule.key].map(async (path) => {
    if (path === null) return "";
    // A file that is being replaced may be gone for a moment: reading it is what reports that.
    const info = await Deno.stat(path).catch(() => null);
    return `${info?.mtime?.getTime()}:${info?.size}:${info?.ino}`;
  });
  return (await Promise.all(stamps)).join(" ");
}

/**
 * Credentials of a TLS channel, and the options that go with them.
 *
 * @param ip the server's address where no name is known, see {@linkcode Endpoint}
 * @throws {MaestroError} `USAGE`, where the files hold no certificates or keys, or don't belong together
 */
export function tlsCredentials(
  grpc: GrpcJs,
  service: string,
  rule: TlsRule,
  files: TlsFiles,
  ip: string | null,
): { readonly credentials: ChannelCredentials; readonly options: ChannelOptions } {
  const buffer = (bytes: string | null) => bytes === null ? null : Buffer.from(bytes);
  if (files.cert !== null && files.key !== null && !belongTogether(files.cert, files.key)) {
    throw new MaestroError(
      "USAGE",
      `Cannot use the tls files of "${service}": the key in "${rule.key}" is not the key of the ` +
        `certificate in "${rule.cert}"`,
    );
  }
  const byAddress = rule.serverName === null && ip !== null;
  try {
    const credentials = grpc.credentials.createSsl(
      buffer(files.ca),
      buffer(files.key),
      buffer(files.cert),
      byAddress
        ? { checkServerIdentity: (_name, certificate) => checkServerIdentity(ip, certificate) }
        : {},
    );
    const name = rule.serverName ?? (byAddress ? NO_NAME : null);
    return {
      credentials,
      options: name === null ? {} : { "grpc.ssl_target_name_override": name },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MaestroError("USAGE", `Cannot use the tls files of "${service}": ${reason}`, {
      cause: error,
    });
  }
}
