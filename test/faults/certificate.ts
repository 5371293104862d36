// A certificate for 127.0.0.1 that lives as long as one fault suite, or one test.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute } from "../../base/process.ts";

/** PEM. It signs itself, so it is its own authority. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** Makes one with openssl, as the lab makes its own. */
export async function makeCertificate(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-fault-certificate-"));
  try {
    const [key, certificate] = [join(folder, "key"), join(folder, "certificate")];
    const { code, stderr } = await execute("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-days", "2", "-subj", "/CN=mayfly-fault-proxy", "-addext", "subjectAltName=IP:127.0.0.1"],
      ...["-keyout", key, "-out", certificate],
    ]);
    if (code !== 0) throw new Error(`openssl made no certificate: ${stderr}`);
    return { key: await readFile(key, "utf8"), certificate: await readFile(certificate, "utf8") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
