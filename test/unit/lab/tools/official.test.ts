import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { officialCli, officialKubernetesPlugin } from "../../../../lab/tools/official.ts";

let root: string;
const fetched = vi.fn<typeof fetch>();
const said: string[] = [];

const program = (path: string, text: string): string => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
};

/** A program that prints a version and counts how often it is asked. */
const installCli = (folder: string, version: string): void => {
  program(join(folder, "pulumi"), `#!/bin/sh\necho asked >> ${root}/asked\necho ${version}\n`);
  program(join(folder, "pulumi-language-nodejs"), "#!/bin/sh\n");
  program(join(folder, "node"), "#!/bin/sh\n");
};

const platform = (): string => `${process.platform}-${process.arch}`;

/** What Node's fetch rejects with where a host name can't be resolved. */
const unresolved = Object.assign(new Error("getaddrinfo ENOTFOUND get.pulumi.com"), { code: "ENOTFOUND" });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "mayfly-official-"));
  vi.stubEnv("XDG_CACHE_HOME", join(root, "cache"));
  vi.stubEnv("HOME", join(root, "home"));
  vi.stubEnv("PULUMI_HOME", undefined);
  vi.stubEnv("PATH", `${join(root, "opt", "bin")}:/usr/bin:/bin`);
  fetched.mockReset().mockRejectedValue(new TypeError("fetch failed", { cause: unresolved }));
  vi.stubGlobal("fetch", fetched);
  said.length = 0;
  vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

describe("officialCli", () => {
  it("uses the CLI on the PATH without putting its neighbours on the PATH, and asks its version once", async () => {
    installCli(join(root, "opt", "bin"), "v3.221.0");
    const first = await officialCli({});
    expect(first).toMatchObject({ found: true, version: "3.221.0" });
    expect(await officialCli({})).toEqual(first);
    expect(readFileSync(join(root, "asked"), "utf8")).toBe("asked\n");
    expect(first.found && readdirSync(first.folder)).toEqual(["pulumi", "pulumi-language-nodejs"]);
    expect(fetched).not.toHaveBeenCalled();
  });

  it("finds the CLI where Pulumi's install script puts it", async () => {
    installCli(join(root, "home", ".pulumi", "bin"), "v3.270.0");
    expect(await officialCli({})).toMatchObject({ found: true, version: "3.270.0" });
  });

  it.each([
    ["is too old", "v3.120.0"],
    ["does not answer like Pulumi", "Usage: pulumi [command]"],
  ])("passes over an installed CLI that %s", async (_case, answer) => {
    installCli(join(root, "opt", "bin"), answer);
    expect(await officialCli({})).toMatchObject({ found: false });
  });

  it("downloads the version of the SDK once, checks it, and needs no network afterwards", async () => {
    installCli(join(root, "pulumi"), "v3.270.0");
    const archive = execFileSync("tar", ["-cz", "-C", root, "pulumi"]);
    const sum = createHash("sha256").update(archive).digest("hex");
    fetched.mockImplementation((url) => {
      const name = basename(url instanceof Request ? url.url : url.toString());
      const sumList = `${sum}  ${name.replace("pulumi-", "pulumi-v").replace("-checksums.txt", `-${platform()}.tar.gz`)}\n`;
      return Promise.resolve(new Response(name.endsWith(".txt") ? sumList : new Uint8Array(archive)));
    });
    const first = await officialCli({});
    expect(first).toMatchObject({ found: true });
    expect(first.found && readdirSync(first.folder)).toContain("pulumi-language-nodejs");
    expect(fetched).toHaveBeenCalledTimes(2);
    expect(await officialCli({ refresh: true })).toEqual(first);
    expect(fetched).toHaveBeenCalledTimes(2);
  });

  it("says once a day only that the download can't be had, and why", async () => {
    const reason = "get.pulumi.com: its name can't be resolved";
    expect(await officialCli({})).toMatchObject({ found: false, reason });
    const line = said.find((text) => text.startsWith("•"));
    expect(line).toMatch(
      /official Pulumi CLI \d+\.\d+\.\d+ can't be had here \(get\.pulumi\.com: .*Go module is used/,
    );
    // It is an ordinary answer: no step that begins and fails.
    expect(said).toHaveLength(1);
    const calls = fetched.mock.calls.length;
    said.length = 0;
    await officialCli({});
    expect(fetched).toHaveBeenCalledTimes(calls);
    expect(said).toEqual([]);
    await officialCli({ refresh: true });
    expect(fetched.mock.calls.length).toBeGreaterThan(calls);
  });
});

describe("officialKubernetesPlugin", () => {
  const version = async (): Promise<string> => (await officialKubernetesPlugin({})).version;

  it("uses an installed plugin of exactly the SDK's version", async () => {
    const folder = join(root, "home", ".pulumi", "plugins", `resource-kubernetes-v${await version()}`);
    program(join(folder, "pulumi-resource-kubernetes"), "\x7fELF");
    expect(await officialKubernetesPlugin({})).toMatchObject({ found: true, folder });
  });

  it("does not take a stand-in script for the official plugin", async () => {
    const folder = join(root, "home", ".pulumi", "plugins", `resource-kubernetes-v${await version()}`);
    program(join(folder, "pulumi-resource-kubernetes"), "#!/bin/sh\n");
    expect(await officialKubernetesPlugin({})).toMatchObject({ found: false });
  });
});
