import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connect, expiryNote, loadSources } from "../../../lab/kubernetes-plugin/connection.ts";
import { isContent, selectCluster } from "../../../lab/kubernetes-plugin/kubeconfig.ts";

const config = (user: object, more: object = {}): string =>
  JSON.stringify({
    clusters: [
      { name: "lab", cluster: { server: "https://lab:6443", "certificate-authority": "ca.pem", ...more } },
      { name: "prod", cluster: { server: "https://prod:6443", "insecure-skip-tls-verify": true } },
    ],
    users: [{ name: "admin", user }],
    contexts: [
      { name: "lab", context: { cluster: "lab", user: "admin", namespace: "shop" } },
      { name: "prod", context: { cluster: "prod", user: "admin" } },
    ],
    "current-context": "lab",
  });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubeconfig-test-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const source = async (text: string): Promise<Parameters<typeof selectCluster>[0]> => await loadSources(text);

describe("a kubeconfig", () => {
  it("is told from the name of a file", () => {
    expect(isContent(config({}))).toBe(true);
    expect(isContent("apiVersion: v1\nkind: Config\n")).toBe(true);
    expect(isContent("/home/demo/.kube/config:/etc/config")).toBe(false);
  });

  it("gives the cluster, user and namespace of its current context", async () => {
    const selected = selectCluster(await source(config({ token: "t" })), {});
    expect(selected).toMatchObject({
      server: "https://lab:6443",
      namespace: "shop",
      token: "t",
      context: "lab",
    });
  });

  it("gives those of the context, cluster and namespace that the provider asks for", async () => {
    const sources = await source(config({}));
    expect(selectCluster(sources, { context: "prod" })).toMatchObject({
      server: "https://prod:6443",
      insecure: true,
    });
    expect(selectCluster(sources, { cluster: "prod", namespace: "mine" })).toMatchObject({
      server: "https://prod:6443",
      namespace: "mine",
    });
  });

  it("says which context, cluster or user is missing", async () => {
    const sources = await source(config({}));
    expect(() => selectCluster(sources, { context: "dev" })).toThrow('no context "dev"');
    expect(() => selectCluster(sources, { cluster: "dev" })).toThrow('no cluster "dev"');
    expect(() => selectCluster([], {})).toThrow("no current-context");
  });

  it("joins the files of a list, of which the first wins and some may be missing", async () => {
    const [first, second] = [join(folder, "one"), join(folder, "two")];
    await writeFile(first, "current-context: prod\n");
    await writeFile(second, config({}));
    const sources = await loadSources([first, join(folder, "missing"), second].join(":"));
    expect(selectCluster(sources, {})).toMatchObject({ context: "prod", server: "https://prod:6443" });
  });

  it("has file names relative to itself", async () => {
    await writeFile(join(folder, "config"), config({}));
    expect(selectCluster(await loadSources(join(folder, "config")), {}).ca).toEqual({
      file: join(folder, "ca.pem"),
    });
  });

  it("does not show what it holds when it can't be read", async () => {
    await expect(loadSources('{"users": "hunter2"')).rejects.toThrow(
      /^the provider's `kubeconfig` is not a kubeconfig$/,
    );
    await expect(loadSources(join(folder, "missing"))).rejects.toThrow("can't read the kubeconfig file");
    await expect(connect(config({ token: "t" }), {})).rejects.toThrow("can't read the certificate authority");
  });
});

describe("credentials", () => {
  const withCa = { "certificate-authority": "", "certificate-authority-data": "Q0E=" };

  it("are a token, a certificate, or a name with a password", async () => {
    const token = await connect(config({ token: "t" }, withCa), {});
    expect(await token.credentials()).toEqual({ authorization: "Bearer t" });
    const basic = await connect(config({ username: "demo", password: "p" }, withCa), {});
    expect(await basic.credentials()).toEqual({
      authorization: `Basic ${Buffer.from("demo:p").toString("base64")}`,
    });
    const data = { "client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ" };
    const certificate = await connect(config(data, withCa), {});
    expect(await certificate.credentials()).toEqual({ cert: "CERT", key: "KEY" });
    expect(certificate.ca).toBe("CA");
  });

  it("come from a command, which is run again when the server refused them", async () => {
    await mkdir(folder, { recursive: true });
    const command = join(folder, "login");
    await writeFile(
      command,
      `#!/bin/sh\necho run >> "${folder}/runs"\necho "{\\"status\\":{\\"token\\":\\"$PREFIX-$1-$(wc -l < "${folder}/runs" | tr -d ' ')\\"}}"\n`,
    );
    await chmod(command, 0o755);
    const exec = { command, args: ["lab"], env: [{ name: "PREFIX", value: "token" }] };
    const connection = await connect(config({ exec }, withCa), {});
    expect(await connection.credentials()).toEqual({ authorization: "Bearer token-lab-1" });
    expect(await connection.credentials()).toEqual({ authorization: "Bearer token-lab-1" });
    expect(await connection.credentials(true)).toEqual({ authorization: "Bearer token-lab-2" });
  });

  it("say which command failed", async () => {
    const exec = { command: "false" };
    const connection = await connect(config({ exec }, withCa), {});
    await expect(connection.credentials()).rejects.toThrow('credential command "false" ended with code 1');
  });

  it("of an auth provider are refused", async () => {
    await expect(connect(config({ "auth-provider": { name: "gcp" } }, withCa), {})).rejects.toThrow(
      "removed in 1.26",
    );
  });

  it("that can't be read are told of", () => {
    expect(expiryNote(undefined)).toBeUndefined();
    expect(expiryNote("nonsense")).toBe("its client certificate can't be read");
  });
});
