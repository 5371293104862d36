import { describe, expect, it } from "vitest";
import {
  ASK_AGAIN_AFTER,
  checksumIn,
  choose,
  cliArtifact,
  type Facts,
  kubernetesPluginArtifact,
  OLDEST_CLI,
} from "../../../../lab/tools/choice.ts";
import { goLine, isAtLeast } from "../../../../lab/tools/go.ts";

const NOON = Date.UTC(2026, 10, 24, 12);
const ARTIFACT = "pulumi-v3.270.0-linux-x64.tar.gz";
const nothing: Facts = {
  artifact: ARTIFACT,
  installed: undefined,
  accepts: (version) => isAtLeast(version, OLDEST_CLI),
  downloaded: undefined,
  remembered: undefined,
  refresh: false,
  now: NOON,
};
const unavailable = { artifact: ARTIFACT, at: NOON - 3600_000, reason: "get.pulumi.com does not answer" };
const installed = { version: "3.221.0", folder: "/usr/local/bin" };

describe("choose", () => {
  it("takes an installed CLI that is new enough before all else", () => {
    const facts = { ...nothing, installed, downloaded: "/cache/pulumi-official", remembered: unavailable };
    expect(choose(facts)).toEqual({ use: "installed", installed });
  });

  it("passes over an installed CLI that is too old", () => {
    const facts = { ...nothing, installed: { ...installed, version: "3.199.9" } };
    expect(choose(facts)).toEqual({ use: "try-download" });
  });

  it("uses an earlier download even if the host was unreachable since", () => {
    const facts = { ...nothing, downloaded: "/cache/pulumi-official/bin", remembered: unavailable };
    expect(choose(facts)).toEqual({ use: "downloaded", folder: "/cache/pulumi-official/bin" });
  });

  it("tries to download on the first start", () => {
    expect(choose(nothing)).toEqual({ use: "try-download" });
  });

  it("believes for a day that the download can't be had", () => {
    expect(choose({ ...nothing, remembered: unavailable })).toEqual({
      use: "fallback",
      reason: "get.pulumi.com does not answer",
    });
    const yesterday = { ...unavailable, at: NOON - ASK_AGAIN_AFTER };
    expect(choose({ ...nothing, remembered: yesterday })).toEqual({ use: "try-download" });
  });

  it("looks again when told to, when another version is wanted, or when the clock was set back", () => {
    const cases: Facts[] = [
      { ...nothing, remembered: unavailable, refresh: true },
      { ...nothing, remembered: { ...unavailable, artifact: "pulumi-v3.269.0-linux-x64.tar.gz" } },
      { ...nothing, remembered: { ...unavailable, at: NOON + 60_000 } },
    ];
    for (const facts of cases) expect(choose(facts)).toEqual({ use: "try-download" });
  });
});

describe("official archives", () => {
  it("names the CLI's archive and checksum list as Pulumi publishes them", () => {
    expect(cliArtifact("3.270.0", "linux", "x64")).toMatchObject({
      url: "https://get.pulumi.com/releases/sdk/pulumi-v3.270.0-linux-x64.tar.gz",
      checksums: "https://get.pulumi.com/releases/sdk/pulumi-3.270.0-checksums.txt",
      checksumsRequired: true,
    });
  });

  it("says amd64 in a plugin's name where the CLI's says x64", () => {
    expect(kubernetesPluginArtifact("4.34.2", "darwin", "x64")?.name).toBe(
      "pulumi-resource-kubernetes-v4.34.2-darwin-amd64.tar.gz",
    );
  });

  it("has none for other platforms", () => {
    expect(cliArtifact("3.270.0", "freebsd", "x64")).toBeUndefined();
    expect(kubernetesPluginArtifact("4.34.2", "linux", "riscv64")).toBeUndefined();
  });
});

describe("checksumIn", () => {
  const sha256 = "ab".repeat(32);

  it.each([
    ["sha256sum", `${sha256}  ${ARTIFACT}`],
    ["binary mode", `${sha256} *${ARTIFACT}`],
    ["a leading ./", `${sha256}  ./${ARTIFACT}`],
    [
      "capitals, among other files",
      `${"0".repeat(64)}  other.tar.gz\n${sha256.toUpperCase()}  ${ARTIFACT}\n`,
    ],
  ])("reads the form of %s", (_case, list) => {
    expect(checksumIn(list, ARTIFACT)).toEqual({ algorithm: "sha256", hex: sha256 });
  });

  it("knows SHA-512 by its length and takes nothing weaker", () => {
    expect(checksumIn(`${"c".repeat(128)}  ${ARTIFACT}`, ARTIFACT)?.algorithm).toBe("sha512");
    expect(checksumIn(`${"c".repeat(40)}  ${ARTIFACT}`, ARTIFACT)).toBeUndefined();
  });

  it("finds nothing where another file is meant", () => {
    expect(checksumIn(`${sha256}  old-${ARTIFACT}`, ARTIFACT)).toBeUndefined();
    expect(checksumIn("<html>Not found</html>", ARTIFACT)).toBeUndefined();
  });
});

describe("isAtLeast", () => {
  it.each([
    ["go1.26.8", "1.26", true],
    ["go1.26", "1.26", true],
    ["go1.27rc1", "1.26", true],
    ["go1.9", "1.26", false],
    ["go1.25.9", "1.26", false],
    ["go version unknown", "1.26", false],
    ["v3.200.0", "3.200.0", true],
    ["3.1000.0", "3.200.0", true],
    ["2.999.0", "3.200.0", false],
  ])("%s against %s: %s", (have, need, expected) => {
    expect(isAtLeast(have, need)).toBe(expected);
  });
});

describe("goLine", () => {
  it("reads the lowest Go version from go.mod", () => {
    expect(goLine("module mayfly/lab/etcd\n\ngo 1.26\n\ngodebug default=go1.24\n")).toBe("1.26");
  });
});
