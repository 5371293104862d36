import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MOUNTS, PRIVATE } from "../../../jobs/plan/flink/layout.ts";
import { KEYSTORE_PASSWORD, startScript } from "../../../jobs/plan/flink/scripts.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "mayfly-flink-start-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** One pod: the script with its mounts below a folder of its own. Returns that folder and what the script printed. */
function pod(name: string, secret: string): { readonly folder: string; readonly printed: string } {
  const folder = join(root, name);
  for (const mount of [MOUNTS.authentication, MOUNTS.s3, MOUNTS.temporary, MOUNTS.scratch]) {
    mkdirSync(join(folder, mount), { recursive: true });
  }
  writeFileSync(join(folder, MOUNTS.authentication, "secret"), secret);
  writeFileSync(join(folder, MOUNTS.s3, "access-key-id"), "AKIDNIGHTLY");
  writeFileSync(join(folder, MOUNTS.s3, "secret-access-key"), "s3-secret/with+signs");
  const script = join(folder, "start.sh");
  writeFileSync(
    script,
    startScript(true).replaceAll(/(?<![\w/.])(\/var\/run|\/tmp|\/scratch)(?=\/)/g, `${folder}$1`),
  );
  const command = ["sh", "-c", 'printf "%s|" "$PWD" "$@"', "java", "-Xmx64m", "a b"];
  const printed = execFileSync("/bin/bash", [script, ...command], {
    encoding: "utf8",
    env: { ...process.env, POD_IP: "10.244.0.173" },
  });
  return { folder, printed };
}

const openssl = (args: readonly string[]): string => execFileSync("openssl", args, { encoding: "utf8" });

const certificate = (folder: string): string =>
  openssl([
    "pkcs12",
    "-in",
    join(folder, PRIVATE.keystore),
    "-nokeys",
    "-passin",
    `pass:${KEYSTORE_PASSWORD}`,
  ]);

const publicKey = (folder: string): string =>
  new X509Certificate(certificate(folder)).publicKey.export({ type: "spki", format: "pem" }).toString();

describe("the start script of Flink's pods", () => {
  it("makes the same key in every pod of a run, of the run's secret, and another one in another run", () => {
    const [one, other, stranger] = [pod("a", "of-the-run"), pod("b", "of-the-run"), pod("c", "of-another")];
    expect(publicKey(one.folder)).toBe(publicKey(other.folder));
    expect(publicKey(one.folder)).not.toBe(publicKey(stranger.folder));
  });

  it("makes certificates that each pod's own vouches for: of one name, signed by the one key", () => {
    const [one, other] = ["a", "b"].map(
      (name) => new X509Certificate(certificate(pod(name, "of-the-run").folder)),
    );
    if (one === undefined || other === undefined) throw new Error("no certificates");
    expect(one.fingerprint256).not.toBe(other.fingerprint256);
    expect([one.subject, other.issuer]).toEqual(["CN=mayfly-run", "CN=mayfly-run"]);
    expect(other.verify(one.publicKey)).toBe(true);
    expect(one.subjectAltName).toBe("IP Address:10.244.0.173, DNS:coordinator");
  });

  it("leaves keys and credentials to the container's own user, and prints none of them", () => {
    const { folder, printed } = pod("a", "of-the-run");
    for (const path of [PRIVATE.keystore, PRIVATE.credentials]) {
      expect(statSync(join(folder, path)).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(join(folder, PRIVATE.credentials), "utf8")).toBe(
      "[default]\naws_access_key_id = AKIDNIGHTLY\naws_secret_access_key = s3-secret/with+signs\n",
    );
    expect(printed).not.toMatch(/of-the-run|AKID|s3-secret/);
  });

  it("becomes the command that it is given, word by word, in the working folder", () => {
    const { folder, printed } = pod("a", "of-the-run");
    expect(printed).toBe(`${join(folder, "scratch/work")}|-Xmx64m|a b|`);
  });
});
