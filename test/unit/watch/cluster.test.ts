import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT } from "../../../base/errors.ts";
import { checkCluster, explain, openCluster } from "../../../jobs/watch/cluster.ts";
import { tokenExpiry } from "../../../jobs/watch/kubeconfig.ts";
import { namespaceState, removeNamespace } from "../../../jobs/watch/namespace.ts";
import { checkSecrets } from "../../../jobs/watch/secrets.ts";
import { containing } from "../../harness/expect.ts";
import { samplePlans } from "../../harness/samples.ts";
import { failure, fakeServer, json, kubeconfig } from "./fake-server.ts";

const token = (exp: number): string =>
  ["header", Buffer.from(JSON.stringify({ exp })).toString("base64url"), "signature"].join(".");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-kubeconfig-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, `kubeconfig-${Math.random()}`);
  await writeFile(path, text);
  return path;
}

describe("openCluster", () => {
  it.each([
    ["a file that is not there", undefined, "kubeconfig-missing"],
    ["no YAML", "clusters: [", "kubeconfig-invalid"],
    ["an empty file", "", "kubeconfig-invalid"],
    ["no contexts", "clusters: []\ncontexts: []", "kubeconfig-invalid"],
    ["a server that is no URL", kubeconfig("not a url", {}), "kubeconfig-invalid"],
    [
      "a certificate file that is not there",
      kubeconfig("https://10.0.0.1", { "client-certificate": "gone.crt" }),
      "kubeconfig-missing",
    ],
  ])("refuses %s with path and hint", async (_what, text, code) => {
    const path = text === undefined ? join(folder, "nowhere") : await file(text);
    await expect(openCluster(path)).rejects.toMatchObject({
      name: "UserError",
      code,
      path: containing(folder),
      hint: containing("lab"),
    });
  });

  it("names the contexts there are when the wanted one is not", async () => {
    const path = await file(kubeconfig("https://10.0.0.1", {}));
    await expect(openCluster(path, "production")).rejects.toMatchObject({
      message: "The kubeconfig has no context `production`; it has: lab.",
    });
  });

  it("takes credentials from a program, as on EKS", async () => {
    const credential = {
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: "from-a-program" },
    };
    const user = {
      exec: {
        apiVersion: "client.authentication.k8s.io/v1",
        command: "/bin/echo",
        args: [JSON.stringify(credential)],
        interactiveMode: "Never",
      },
    };
    let seen: string | undefined;
    await using server = await fakeServer((request, response) => {
      seen = request.headers.authorization;
      json(response, { gitVersion: "v1.34.3" });
    });
    const cluster = await openCluster(
      await file(kubeconfig(server.url, user, { "insecure-skip-tls-verify": true })),
    );
    await cluster.api.get("/version");
    cluster.close();
    expect(seen).toBe("Bearer from-a-program");
  });

  it("reads a token file anew for each request", async () => {
    const tokens: (string | undefined)[] = [];
    await using server = await fakeServer((request, response) => {
      tokens.push(request.headers.authorization);
      json(response, {});
    });
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, "first\n");
    const cluster = await openCluster(await file(kubeconfig(server.url, { tokenFile })));
    await cluster.api.get("/version");
    await writeFile(tokenFile, "second\n");
    await cluster.api.get("/version");
    cluster.close();
    expect(tokens).toEqual(["Bearer first", "Bearer second"]);
  });
});

describe("checkCluster", () => {
  const good = (path: string, id = "1111"): unknown =>
    path === "/version" ? { gitVersion: "v1.34.3" } : { metadata: { name: "kube-system", uid: id } };

  it("gives the cluster's identity and version", async () => {
    await using server = await fakeServer((_request, response, url) => {
      json(response, good(url.pathname));
    });
    expect(await checkCluster(server.cluster, { clusterId: "1111" })).toEqual({
      clusterId: "1111",
      version: "v1.34.3",
    });
  });

  it("refuses another cluster than the contract's", async () => {
    await using server = await fakeServer((_request, response, url) => {
      json(response, good(url.pathname, "2222"));
    });
    await expect(
      checkCluster(server.cluster, { clusterId: "1111", environment: "lab" }),
    ).rejects.toMatchObject({
      code: "cluster-wrong",
      message: containing("environment lab"),
    });
  });

  it.each([
    [401, "Unauthorized", "cluster-unauthorised", EXIT.denied],
    [403, "Forbidden", "cluster-forbidden", EXIT.denied],
    [503, "ServiceUnavailable", "cluster-unreachable", EXIT.unreachable],
  ])("tells %i %s apart", async (status, reason, code, exitCode) => {
    await using server = await fakeServer((_request, response) => {
      failure(response, status, reason, "no");
    });
    await expect(checkCluster(server.cluster)).rejects.toMatchObject({ code, exitCode });
  });

  it("tells that nobody listens", async () => {
    const cluster = await openCluster(await file(kubeconfig("https://127.0.0.1:1", {})));
    await expect(checkCluster(cluster)).rejects.toMatchObject({
      code: "cluster-unreachable",
      exitCode: EXIT.unreachable,
      message: containing("ECONNREFUSED"),
    });
  });

  it("tells that something else than Kubernetes listens", async () => {
    await using server = await fakeServer((_request, response) => {
      response.end("<html>It works!</html>");
    });
    await expect(checkCluster(server.cluster)).rejects.toMatchObject({
      code: "cluster-unreachable",
      message: containing("not JSON"),
    });
  });

  it("tells an ended token apart from a refused one", async () => {
    await using server = await fakeServer((_request, response) => {
      failure(response, 401, "Unauthorized", "Unauthorized");
    });
    const ended = await openCluster(await file(kubeconfig(server.url, { token: token(1_700_000_000) })));
    await expect(checkCluster(ended)).rejects.toMatchObject({
      code: "cluster-credentials-expired",
      message: containing("2023-11-14"),
    });
    expect(tokenExpiry("opaque")).toBeUndefined();
    expect(tokenExpiry("a.b.c")).toBeUndefined();
  });

  it.each([
    "CERT_HAS_EXPIRED",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "ERR_TLS_CERT_ALTNAME_INVALID",
  ])("takes %s as the server's certificate", async (code) => {
    const cluster = await openCluster(await file(kubeconfig("https://10.0.0.1", {})));
    expect(explain(Object.assign(new Error("tls"), { code }), cluster)).toMatchObject({
      code: "cluster-certificate",
    });
  });

  it("tries again what may pass, and not what won't", async () => {
    let count = 0;
    await using server = await fakeServer((_request, response, url) => {
      if (count++ < 2) failure(response, 500, "InternalError", "etcdserver: leader changed");
      else json(response, good(url.pathname));
    });
    expect(await checkCluster(server.cluster)).toMatchObject({ clusterId: "1111" });
  });
});

describe("a run's namespace", () => {
  const labels = { "mayfly.dev/tenant": "demo", "mayfly.dev/job": "pi", "mayfly.dev/run": "pi-1" };

  it.each([
    ["free", undefined, { kind: "absent" }],
    ["a run's", labels, { kind: "ours", run: "pi-1", terminating: false }],
    ["somebody else's", { team: "billing" }, { kind: "foreign" }],
    ["a tenant's own", { "mayfly.dev/tenant": "demo" }, { kind: "foreign" }],
  ])("may be %s", async (_whose, given, state) => {
    await using server = await fakeServer((_request, response) => {
      if (given === undefined) failure(response, 404, "NotFound", "not found");
      else json(response, { metadata: { name: "demo-pi-1", uid: "u", labels: given } });
    });
    expect(await namespaceState(server.cluster, "demo-pi-1")).toMatchObject(state);
  });

  it("is not deleted where its labels are not the run's", async () => {
    await using server = await fakeServer((_request, response) => {
      json(response, { metadata: { name: "demo-pi-1", uid: "u", labels: { team: "billing" } } });
    });
    await expect(
      removeNamespace(server.cluster, { run: "pi-1", namespace: "demo-pi-1" }),
    ).rejects.toMatchObject({ code: "namespace-foreign" });
    expect(server.requests.filter((request) => request.startsWith("DELETE"))).toEqual([]);
  });

  it("keeps its pods where the run was lost after the namespace was told to go", async () => {
    await using server = await fakeServer((_request, response) => {
      json(response, { metadata: { name: "demo-pi-1", uid: "u", labels } });
    });
    let asked = 0;
    const guard = async (): Promise<void> => {
      asked++;
      if (asked === 2) throw new Error("another helper has the lease");
      await Promise.resolve();
    };
    const removed = removeNamespace(server.cluster, { run: "pi-1", namespace: "demo-pi-1" }, guard);
    await expect(removed).rejects.toThrow("another helper has the lease");
    expect(server.requests.filter((request) => request.startsWith("DELETE"))).toEqual([
      "DELETE /api/v1/namespaces/demo-pi-1",
    ]);
  });
});

describe("checkSecrets", () => {
  it("names the missing key and the keys there are, and never a value", async () => {
    const { wordcount } = samplePlans();
    const name = wordcount.secrets[0]?.name ?? "";
    const value = Buffer.from("hunter2").toString("base64");
    await using server = await fakeServer((_request, response) => {
      json(response, { type: "Opaque", data: { other: value } });
    });
    const error: unknown = await checkSecrets(server.cluster, wordcount).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "secret-key-missing", message: containing("it has: other") });
    expect(JSON.stringify(error) + String(error)).not.toMatch(new RegExp(`hunter2|${value}`));
    expect(name).not.toBe("");
  });
});
