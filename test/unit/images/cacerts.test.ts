import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { stableTrustStore } from "../../../images/build/cacerts.ts";

/** A JKS file with certificates of a few bytes; the seal is not looked at by our reader. */
function store(entries: readonly { alias: string; date: number; der: string; tag?: number }[]): Buffer {
  const sized = (bytes: 2 | 4, data: string): Buffer => {
    const length = Buffer.alloc(bytes);
    length.writeUIntBE(Buffer.byteLength(data), 0, bytes);
    return Buffer.concat([length, Buffer.from(data)]);
  };
  const word = (value: number): Buffer => {
    const four = Buffer.alloc(4);
    four.writeUInt32BE(value);
    return four;
  };
  const time = (value: number): Buffer => {
    const eight = Buffer.alloc(8);
    eight.writeBigUInt64BE(BigInt(value));
    return eight;
  };
  return Buffer.concat([
    word(0xfeedfeed),
    word(2),
    word(entries.length),
    ...entries.flatMap(({ alias, date, der, tag = 2 }) => [
      word(tag),
      sized(2, alias),
      time(date),
      sized(2, "X.509"),
      sized(4, der),
    ]),
    Buffer.alloc(20),
  ]);
}

const isrg = { alias: "debian:isrg_root_x1.pem", der: "certificate of ISRG" };
const digicert = { alias: "debian:digicert_global_root_g2.pem", der: "certificate of DigiCert" };

describe("the stable trust store", () => {
  test("is the same whenever and in whatever order the certificates were put in", () => {
    const monday = store([
      { ...isrg, date: 1_750_000_000_000 },
      { ...digicert, date: 1_750_000_000_123 },
    ]);
    const friday = store([
      { ...digicert, date: 1_760_000_000_000 },
      { ...isrg, date: 1_760_000_000_456 },
    ]);
    expect(stableTrustStore(friday, 1_767_225_600)).toEqual(stableTrustStore(monday, 1_767_225_600));
  });

  test("differs when a certificate does", () => {
    const one = store([{ ...isrg, date: 0 }]);
    const other = store([{ ...isrg, der: "forged", date: 0 }]);
    expect(stableTrustStore(one, 0)).not.toEqual(stableTrustStore(other, 0));
  });

  test("is refused when it holds a private key or is something else", () => {
    expect(() => stableTrustStore(store([{ ...isrg, date: 0, tag: 1 }]), 0)).toThrow("holds a key");
    expect(() => stableTrustStore(Buffer.from("-----BEGIN CERTIFICATE-----\n".repeat(3)), 0)).toThrow(
      "not a JKS",
    );
  });

  const system = "/etc/ssl/certs/java/cacerts";
  const keytool = spawnSync("keytool", ["-help"]).status === 0 && existsSync(system);
  const folder = mkdtempSync(join(tmpdir(), "mayfly-cacerts-"));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test.skipIf(!keytool)("is read by Java, seal and all, with every certificate of the original", () => {
    const [before, after] = [join(folder, "before.jks"), join(folder, "after.jks")];
    copyFileSync(system, before);
    writeFileSync(after, stableTrustStore(readFileSync(system), 1_767_225_600));
    const fingerprints = (path: string): string[] =>
      execFileSync("keytool", ["-list", "-keystore", path, "-storepass", "changeit"], { encoding: "utf8" })
        .split("\n")
        .filter((line) => line.includes("SHA-256"))
        .toSorted();
    expect(fingerprints(after).length).toBeGreaterThan(50);
    expect(fingerprints(after)).toEqual(fingerprints(before));
  });
});
