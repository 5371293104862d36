import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { execute } from "../../../base/process.ts";
import { pathOf } from "../../../lab/cluster/api.ts";
import { cniConflist, felixEnv } from "../../../lab/cluster/calico.ts";
import { CERTIFICATES, extensionsOf, needsRenewal, subjectOf } from "../../../lab/cluster/certificates.ts";
import {
  apiserverArgs,
  controllerManagerArgs,
  etcdArgs,
  schedulerArgs,
} from "../../../lab/cluster/controlplane.ts";
import { nodeProblem, PARTS } from "../../../lab/cluster/health.ts";
import { parseImported, programArchive } from "../../../lab/cluster/images.ts";
import { kubeconfigText } from "../../../lab/cluster/kubeconfig.ts";
import { metricsObjects, metricsServerArgs } from "../../../lab/cluster/metrics-server.ts";
import {
  containerdConfig,
  corefile,
  kubeletArgs,
  kubeletConfig,
  resolvConf,
} from "../../../lab/cluster/node.ts";
import { calicoObjects, nodeObject, roleObjects, serviceObjects } from "../../../lab/cluster/objects.ts";
import {
  accountsText,
  bucketPolicy,
  credentialsText,
  parseCredentials,
  s3Args,
} from "../../../lab/cluster/s3.ts";
import { clusterUnits, s3Unit } from "../../../lab/cluster/units.ts";
import { startOrder } from "../../../lab/host/unit.ts";
import { labPaths } from "../../../lab/paths.ts";

const paths = labPaths("/state/lab");
const tools = {
  etcd: "/tools/etcd",
  kubeApiserver: "/tools/kube-apiserver",
  kubeControllerManager: "/tools/kube-controller-manager",
  kubeScheduler: "/tools/kube-scheduler",
  kubelet: "/tools/kubelet",
  kubeProxy: "/tools/kube-proxy",
  kubectl: "/tools/kubectl",
  coredns: "/tools/coredns",
  calicoFelix: "/tools/calico-felix",
  metricsServer: "/tools/metrics-server",
  calicoCni: "/tools/cni",
  calicoCrds: "/tools/crds",
  pause: "/tools/pause",
};

describe("certificates", () => {
  test("names and addresses by which the API server is called are in its certificate", () => {
    const apiserver = CERTIFICATES.find(({ name }) => name === "apiserver");
    if (apiserver === undefined) throw new Error("no certificate for the API server");
    expect(extensionsOf(apiserver)).toContain("IP:10.244.0.1,IP:10.96.0.1,IP:127.0.0.1");
    expect(extensionsOf(apiserver)).toContain("DNS:kubernetes.default.svc");
  });

  test("the kubelet is a node, and nobody but the administrator is a master", () => {
    const subjects = CERTIFICATES.map(subjectOf);
    expect(subjects).toContain("/O=system:nodes/CN=system:node:mayfly-lab");
    expect(subjects.filter((subject) => subject.includes("system:masters"))).toEqual([
      "/O=system:masters/CN=mayfly-lab-admin",
    ]);
  });

  test("a certificate of 398 days is kept for a year and made anew in its last 30 days", async () => {
    const { stdout: pem } = await execute("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-keyout", "/dev/null", "-subj", "/CN=lab", "-days", "398"],
    ]);
    const day = 24 * 3600 * 1000;
    expect(needsRenewal(pem, Date.now())).toBe(false);
    expect(needsRenewal(pem, Date.now() + 366 * day)).toBe(false);
    expect(needsRenewal(pem, Date.now() + 369 * day)).toBe(true);
    expect(needsRenewal("no certificate", Date.now())).toBe(true);
    expect(needsRenewal(undefined, Date.now())).toBe(true);
  });
});

describe("control plane", () => {
  test("nothing listens where others can reach it", () => {
    const listening = [
      ...[etcdArgs, apiserverArgs, controllerManagerArgs, schedulerArgs, metricsServerArgs].flatMap((args) =>
        args(paths),
      ),
    ].filter((arg) => /bind-address|listen-.*urls/.test(arg));
    expect(listening.length).toBeGreaterThanOrEqual(6);
    for (const arg of listening) expect(arg).toMatch(/127\.0\.0\.1|=10\.244\.0\.1$/);
  });

  test("the API server takes certificates only, and asks Node and RBAC", () => {
    expect(apiserverArgs(paths)).toEqual(
      expect.arrayContaining([
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
      ]),
    );
    expect(etcdArgs(paths)).toContain("--client-cert-auth=true");
  });

  test("secrets are never on a command line", () => {
    const { base, applied } = clusterUnits(paths, tools, {
      containerd: "/usr/bin/containerd",
      resolvConf: "",
    });
    const lines = [...base, ...applied, s3Unit(paths, "/tools/versitygw", ["127.0.0.1"])].flatMap(
      ({ args, env }) => [...args, ...Object.values(env ?? {})],
    );
    // Paths of files that hold secrets are fine.
    for (const line of lines) expect(line).not.toMatch(/PRIVATE KEY|secret_access|SECRET_ACCESS_KEY=/);
  });
});

describe("node", () => {
  test("containerd is the lab's own in every folder and socket, and never raises priorities it may not raise", () => {
    const config = containerdConfig(paths);
    expect(config).toContain('root = "/state/lab/containerd"');
    expect(config).toContain('state = "/run/mayfly-lab/containerd"');
    expect(config).toContain("restrict_oom_score_adj = true");
    expect(config).toContain("netns_mounts_under_state_dir = true");
    expect(config).not.toMatch(/"\/(etc|opt|var\/lib)/);
  });

  test("the kubelet keeps pods in the lab's cgroup and files in its folders", () => {
    expect(parse(kubeletConfig(paths))).toMatchObject({
      cgroupRoot: "/mayfly-lab",
      podLogsDir: "/state/lab/pod-logs",
      volumePluginDir: "/state/lab/kubelet/volume-plugins",
      address: "10.244.0.1",
      authentication: { anonymous: { enabled: false } },
      authorization: { mode: "Webhook" },
    });
    const labels = kubeletArgs(paths).find((arg) => arg.startsWith("--node-labels="));
    expect(labels).toBe(
      "--node-labels=topology.kubernetes.io/zone=lab-a,topology.kubernetes.io/region=lab,node.kubernetes.io/instance-type=lab",
    );
  });

  test("pods get the host's name servers without its search list", () => {
    expect(resolvConf("search corp.example\nnameserver 10.0.0.2\noptions ndots:1\n")).toBe(
      "nameserver 10.0.0.2\n",
    );
  });

  test("DNS forwards only where the host has a name server, and never keeps a denial", () => {
    expect(corefile(paths, "nameserver 10.0.0.2\n")).toContain("forward . /state/lab/config/resolv.conf");
    expect(corefile(paths, "search corp.example\n")).not.toContain("forward");
    expect(corefile(paths, "")).toContain("disable denial cluster.local");
  });

  test.each([
    ["ready", "True", [], undefined],
    ["not ready", "False", [], "container runtime is down"],
    [
      "ready but still marked",
      "True",
      [{ key: "node.kubernetes.io/not-ready" }],
      "the node is still marked node.kubernetes.io/not-ready",
    ],
  ] as const)("a node that is %s is told so", (_, status, taints, problem) => {
    const node = JSON.stringify({
      spec: { taints },
      status: {
        conditions: [
          {
            type: "Ready",
            status,
            lastHeartbeatTime: "2026-11-24T05:30:10Z",
            message: "container runtime is down",
          },
        ],
      },
    });
    expect(nodeProblem(node, "2026-11-24T05:30:10.900Z")).toBe(problem);
    expect(nodeProblem(node, "2026-11-24T05:30:11.000Z")).toBe(
      "the kubelet has not renewed the node's state yet",
    );
  });
});

describe("Calico", () => {
  test("Felix tells nobody of this cluster", () => {
    expect(felixEnv("/state/felix")).toMatchObject({ FELIX_USAGEREPORTINGENABLED: "false" });
  });

  test("pods never get the node's own address", () => {
    expect(JSON.parse(cniConflist(paths))).toMatchObject({
      plugins: [
        { type: "calico", ipam: { ranges: [[{ subnet: "10.244.0.0/24", rangeStart: "10.244.0.2" }]] } },
        { type: "portmap" },
      ],
    });
  });

  test("no daemon may write what it only reads, and none may read secrets", () => {
    const text = JSON.stringify(roleObjects().map((object) => object["rules"]));
    expect(text).toContain('"networkpolicies"');
    expect(text).not.toMatch(/"\*"|secrets|create|update|delete|escalate|impersonate/);
    expect(text.match(/"patch"/g)).toHaveLength(1);
  });
});

describe("metrics server", () => {
  const objects = metricsObjects("CA");

  test("reads what the kubelet measures and where pods are, and nothing else", () => {
    const roles = objects.filter(({ kind }) => kind === "ClusterRole").map((object) => object["rules"]);
    expect(roles).toEqual([
      [
        { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
        { apiGroups: [""], resources: ["pods", "nodes"], verbs: ["get", "list", "watch"] },
      ],
    ]);
  });

  test("is checked by the name that its certificate has, by the lab's own authority", () => {
    expect(objects.find(({ kind }) => kind === "APIService")).toMatchObject({
      metadata: { name: "v1beta1.metrics.k8s.io" },
      spec: {
        caBundle: "Q0E=",
        service: { name: "metrics-server", namespace: "kube-system", port: 443 },
      },
    });
    const request = CERTIFICATES.find(({ name }) => name === "metrics-server");
    if (request === undefined) throw new Error("no certificate");
    expect(extensionsOf(request)).toContain("DNS:metrics-server.kube-system.svc,IP:10.244.0.1");
    expect(JSON.stringify(objects)).not.toContain("insecureSkipTLSVerify");
  });

  test("checks the kubelet's certificate", () => {
    expect(metricsServerArgs(paths)).toContain(
      "--kubelet-certificate-authority=/state/lab/certificates/ca.crt",
    );
    expect(metricsServerArgs(paths).join(" ")).not.toContain("insecure");
  });
});

describe("objects", () => {
  test("every object has a place in the API", () => {
    for (const object of [
      ...roleObjects(),
      ...calicoObjects(),
      ...serviceObjects(),
      ...metricsObjects("CA"),
      nodeObject(),
    ]) {
      expect(pathOf(object)).toMatch(/^\/(api\/v1|apis\/[a-z0-9.]+\/v1)\//);
    }
    expect(serviceObjects().map(pathOf)).toContain("/api/v1/namespaces/kube-system/services/kube-dns");
  });

  test("the endpoint slice belongs to the DNS Service and leads to the node", () => {
    expect(serviceObjects()).toContainEqual(
      expect.objectContaining({
        kind: "EndpointSlice",
        endpoints: [{ addresses: ["10.244.0.1"], conditions: { ready: true } }],
      }),
    );
  });

  test("a kubeconfig holds everything itself", () => {
    expect(parse(kubeconfigText("admin", { ca: "CA", cert: "CERT", key: "KEY" }))).toMatchObject({
      clusters: [{ cluster: { server: "https://10.244.0.1:6443", "certificate-authority-data": "Q0E=" } }],
      users: [{ name: "admin", user: { "client-key-data": "S0VZ" } }],
      "current-context": "mayfly-lab",
    });
  });
});

describe("units", () => {
  const { base, applied } = clusterUnits(paths, tools, { containerd: "/usr/bin/containerd", resolvConf: "" });

  test("every part of the lab is a unit, and every unit a part", () => {
    const names = [...base, ...applied, s3Unit(paths, "/tools/versitygw", ["127.0.0.1"])].map(
      ({ name }) => name,
    );
    expect(names.toSorted()).toEqual([...PARTS].toSorted());
  });

  test("the API server waits for etcd, kube-proxy and Felix for the node", () => {
    expect(startOrder(base)).toEqual([["etcd", "containerd"], ["apiserver"]]);
    expect(startOrder(applied).at(-1)).toEqual(["kube-proxy", "felix"]);
  });
});

describe("S3", () => {
  const demo = { accessKeyId: "DEMO0000ABC", secretAccessKey: "s3cr3t" };

  test("credentials are read back from the file, half ones are not", () => {
    expect(parseCredentials(credentialsText({ demo })).get("demo")).toEqual(demo);
    expect(parseCredentials("[demo]\naws_access_key_id = X\n").size).toBe(0);
  });

  test("a tenant is a plain user of the store", () => {
    expect(JSON.parse(accountsText({ demo }))).toEqual({
      accessAccounts: {
        DEMO0000ABC: {
          access: "DEMO0000ABC",
          secret: "s3cr3t",
          role: "user",
          userID: 0,
          groupID: 0,
          projectID: 0,
        },
      },
    });
  });

  test("a tenant may use objects of its bucket, a worker may not delete them, and nobody may change the bucket", () => {
    const policy = bucketPolicy("demo-input", { tenant: "DEMO0000ABC", worker: "WORKER00DEF" });
    expect(policy).toContain("arn:aws:s3:::demo-input/*");
    expect(policy).not.toMatch(/s3:\*|PutBucket|DeleteBucket/);
    expect(
      policy.match(/"Principal":{"AWS":\["DEMO0000ABC"\]}.{0,80}s3:DeleteObject|s3:DeleteObject/g),
    ).toHaveLength(1);
  });

  test("a bucket of Mayfly's own is for workers, and for no tenant", () => {
    const policy = bucketPolicy("mayfly-state", { tenant: undefined, worker: "WORKER00DEF" });
    expect(policy).toContain("s3:DeleteObject");
    expect(policy).not.toContain("Tenant");
  });

  test("the server listens on loopback and the node's address only", () => {
    const args = s3Args(paths, ["127.0.0.1", "10.244.0.1"]);
    expect(args.filter((_, index) => args[index - 1] === "--port")).toEqual([
      "127.0.0.1:7070",
      "10.244.0.1:7070",
    ]);
  });
});

describe("images", () => {
  test("the same pause program gives the same image", () => {
    const one = programArchive("pause:1", "pause", Buffer.from("program"));
    expect(one.archive.equals(programArchive("pause:1", "pause", Buffer.from("program")).archive)).toBe(true);
    expect(one.digest).not.toBe(programArchive("pause:1", "pause", Buffer.from("another")).digest);
  });

  test("what was imported, and from which archive, is read from the list", () => {
    const listed = `REF TYPE DIGEST SIZE PLATFORMS LABELS
registry.k8s.io/pause:3.6 application/vnd.docker.distribution.manifest.v2+json sha256:aa 1.2 MiB linux/amd64 io.cri-containerd.image=managed,mayfly.dev/archive=sha256:bb
mayfly.dev/other:1 application/vnd.docker.distribution.manifest.v2+json sha256:cc 1.2 MiB linux/amd64 io.cri-containerd.image=managed
`;
    expect([...parseImported(listed)]).toEqual([["registry.k8s.io/pause:3.6", "sha256:bb"]]);
  });
});
