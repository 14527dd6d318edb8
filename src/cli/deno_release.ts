/**
 * Why gRPC can't be trusted on a release of Deno, with the remedy; `null` where it can.
 *
 * - before 2.7, grpc-js does not run
 * - 2.9.4 to 2.9.6 crash natively when a server says goodbye to an idle connection (GOAWAY)
 */
export function releaseWarning(version: string): string | null {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number);
  const use = "use Deno 2.9.3, as in `npx -y deno@2.9.3`";
  if (major < 2 || (major === 2 && minor < 7)) {
    return `gRPC does not run on Deno ${version}: ${use}`;
  }
  if (major === 2 && minor === 9 && patch >= 4 && patch <= 6) {
    return `Deno ${version} crashes when a server closes an idle connection: ${use}`;
  }
  return null;
}
