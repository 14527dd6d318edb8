/**
 * Certificates for tests, made with openssl.
 *
 * @module
 */
import { type TempFiles, tempFiles } from "./temp_files.ts";

/** A directory of certificates: `ca.crt`, and `NAME.crt` with `NAME.key` for each name. */
export interface Certificates extends TempFiles {
  /** The text of a file. */
  read(name: string): string;
}

/** Whether certificates can be made here. */
export const hasOpenssl: boolean = await run(".", ["version"]).then(() => true, () => false);

/** What `openssl ca` wants to know; unlike `openssl x509` it lets one choose the dates. */
const AUTHORITY = `[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
`;

/**
 * Makes an authority, and certificates that it signed. Those whose name begins with `expired` were
 * valid in January 2020.
 *
 * @param names subject alternative names by the file's name: `{server: "IP:127.0.0.1"}`
 * @param authority the authority's name
 */
export async function makeCertificates(
  names: Readonly<Record<string, string>>,
  authority = "ca",
): Promise<Certificates> {
  const files = await tempFiles({ "ca.cnf": AUTHORITY, "index.txt": "" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const openssl = (...args: string[]) => run(files.directory, args);
  const subject = ["-subj", `/CN=${authority}`];
  await openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", ...subject);
  for (const [name, alternatives] of Object.entries(names)) {
    await Deno.writeTextFile(files.path(`${name}.ext`), `subjectAltName=${alternatives}\n`);
    const to = ["-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`];
    await openssl("req", ...key, ...to);
    const its = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-extfile", `${name}.ext`];
    if (name.startsWith("expired")) {
      const by = ["-config", "ca.cnf", "-cert", "ca.crt", "-keyfile", "ca.key"];
      const dates = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"];
      await openssl("ca", "-batch", "-notext", ...by, ...dates, ...its);
    } else {
      const by = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
      await openssl("x509", "-req", ...by, ...its);
    }
  }
  return { ...files, read: (name) => Deno.readTextFileSync(files.path(name)) };
}

async function run(cwd: string, args: readonly string[]): Promise<void> {
  const command = new Deno.Command("openssl", { args: [...args], cwd, stderr: "piped" });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
