/**
 * OpenSSL's own server, which says in an alert why it refuses a certificate; the TLS of Deno
 * doesn't. It speaks nothing beyond TLS.
 *
 * @module
 */
/** A running server that demands a certificate of its callers. */
export interface OpensslServer extends AsyncDisposable {
  readonly port: number;
}

/** Starts a server; the names are files. */
export async function startOpenssl(
  { cert, key, ca }: { readonly cert: string; readonly key: string; readonly ca: string },
): Promise<OpensslServer> {
  const child = new Deno.Command("openssl", {
    args: [
      ...["s_server", "-accept", "127.0.0.1:0", "-alpn", "h2", "-cert", cert, "-key", key],
      ...["-CAfile", ca, "-Verify", "1", "-verify_return_error"],
    ],
    stdin: "piped", // its end would be the server's
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let port: string | undefined;
  while (port === undefined) {
    const { done, value } = await output.read();
    if (done) throw new Error(`openssl did not start: ${text}`);
    text += value;
    port = /^ACCEPT \S+:(\d+)\s/m.exec(text)?.[1];
  }
  const rest = (async () => {
    while (!(await output.read()).done);
  })();
  return {
    port: Number(port),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.stdin.close().catch(() => {});
      await rest;
      await child.status;
    },
  };
}
