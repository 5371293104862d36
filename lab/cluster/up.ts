import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { step } from "../../base/progress.ts";
import { createCgroups } from "../host/cgroups.ts";
import { digest, readIfThere, writeIfChanged } from "../host/files.ts";
import { createBridge } from "../host/network.ts";
import { CNI_PLUGINS, cniFolder, findProgram } from "../host/requirements.ts";
import { ensureUnits, runningRecord, type Supervision, type UnitChange } from "../host/supervise.ts";
import { applySysctls } from "../host/sysctls.ts";
import { type LabPaths, RUN } from "../paths.ts";
import { LAB } from "../settings.ts";
import type { ToolsFor } from "../tools/types.ts";
import { Api, type KubernetesObject } from "./api.ts";
import { ensureCertificates, readCertificate } from "./certificates.ts";
import { type Check, dnsHealth, nodeHealth } from "./health.ts";
import { importProgram } from "./images.ts";
import { kubeconfigText } from "./kubeconfig.ts";
import { metricsObjects } from "./metrics-server.ts";
import { PAUSE_IMAGE } from "./node.ts";
import { calicoObjects, nodeObject, roleObjects, serviceObjects } from "./objects.ts";
import { clusterUnits, KUBECONFIGS, s3Unit } from "./units.ts";

/** How the lab's daemons are kept. */
export const supervisionOf = (paths: LabPaths): Supervision => ({
  recordsDir: RUN.units,
  logsDir: paths.logs,
  cgroup: LAB.cgroup,
});

/** Everything of the host that daemons need before they start. All of it is there already on most runs. */
export async function prepareHost(paths: LabPaths, tools: ToolsFor<"cluster">): Promise<void> {
  await Promise.all([
    applySysctls(RUN.sysctls),
    createBridge(LAB.bridge, LAB.nodeIp),
    createCgroups(LAB.cgroup),
    linkCniPlugins(paths, tools.calicoCni),
    writeCredentials(paths),
    ...[paths.kubelet, paths.podLogs, paths.etcd].map(
      async (folder) => await mkdir(folder, { recursive: true, mode: 0o700 }),
    ),
  ]);
}

/** containerd takes plugins from one folder: Calico's own and the distribution's, side by side. */
async function linkCniPlugins(paths: LabPaths, calico: string): Promise<void> {
  const folder = cniFolder();
  if (folder === undefined) throw new Error("CNI plugins are missing after the packages were checked");
  const wanted = [
    ...CNI_PLUGINS.map((name) => [name, join(folder, name)] as const),
    ...["calico", "calico-ipam"].map((name) => [name, join(calico, name)] as const),
  ];
  const marker = join(paths.config, "cni-bin.json");
  if (readIfThere(marker) === JSON.stringify(wanted)) return;
  await rm(paths.cniBin, { recursive: true, force: true });
  await mkdir(paths.cniBin, { recursive: true });
  for (const [name, target] of wanted) await symlink(target, join(paths.cniBin, name));
  await writeIfChanged(marker, JSON.stringify(wanted));
}

/** Certificates, and the kubeconfigs made of them. */
async function writeCredentials(paths: LabPaths): Promise<void> {
  await ensureCertificates(paths.certificates);
  const files = Object.entries(KUBECONFIGS).map(
    ([name, certificate]) => [join(paths.config, `${name}.kubeconfig`), certificate] as const,
  );
  for (const [file, certificate] of [...files, [paths.kubeconfig, "admin"] as const]) {
    await writeIfChanged(file, kubeconfigText(certificate, readCertificate(paths.certificates, certificate)));
  }
}

/** Brings the cluster and the store up, or what of them is missing. @returns What happened to each daemon. */
export async function clusterUp(
  paths: LabPaths,
  tools: ToolsFor<"cluster" | "store">,
): Promise<Map<string, UnitChange>> {
  const containerd = findProgram("containerd");
  if (containerd === undefined) throw new Error("containerd is missing after the packages were checked");
  const host = { containerd, resolvConf: readFileSync("/etc/resolv.conf", "utf8") };
  const { base, applied } = clusterUnits(paths, tools, host);
  const supervision = supervisionOf(paths);
  const s3 = s3Unit(paths, tools.versitygw, ["127.0.0.1", LAB.nodeIp]);

  const before = await step(
    "etcd, API server, containerd, S3",
    async (report) =>
      await ensureUnits(supervision, [...base, s3], (name, change) => {
        report(`${name} ${change}`);
      }),
  );
  const api = new Api(paths.certificates);
  await step("roles, Calico and DNS objects", async () => {
    await Promise.all([
      applyObjects(paths, api, tools.calicoCrds),
      importProgram(PAUSE_IMAGE, "pause", tools.pause, paths.config),
    ]);
  });
  const after = await step(
    "kubelet, scheduler, controllers, Calico, DNS",
    async (report) =>
      await ensureUnits(supervision, applied, (name, change) => {
        report(`${name} ${change}`);
      }),
  );
  await step(`node ${LAB.nodeName} ready, DNS answers`, async (report) => {
    const started = runningRecord(supervision, "kubelet")?.startedAt;
    await Promise.all([until(async () => await nodeHealth(api, started), report), until(dnsHealth, report)]);
    await api.apply(nodeObject());
  });
  return new Map([...before, ...after]);
}

const Crd = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
const Discovery = z.object({ resources: z.array(z.object({ name: z.string() })) });

async function applyObjects(paths: LabPaths, api: Api, crdFolder: string): Promise<void> {
  const crds = readdirSync(crdFolder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => readFileSync(join(crdFolder, name), "utf8"));
  await applyCrds(paths, api, crds);
  // Served a moment after they are made, as is the namespace kube-system on a new cluster.
  await Promise.all(
    [
      ...roleObjects(),
      ...calicoObjects(),
      ...serviceObjects(),
      ...metricsObjects(readCertificate(paths.certificates, "metrics-server").ca),
    ].map(async (object) => {
      await applyPatiently(api, object);
    }),
  );
}

async function applyCrds(paths: LabPaths, api: Api, texts: readonly string[]): Promise<void> {
  const marker = join(paths.root, "calico-crds");
  const wanted = digest(...texts);
  if (readIfThere(marker) === wanted) {
    const { status, body } = await api.get("/apis/crd.projectcalico.org/v1");
    const served = status === 200 ? Discovery.parse(JSON.parse(body)).resources.length : 0;
    if (served >= texts.length) return;
  }
  for (const text of texts) await api.apply(Crd.parse(parse(text)));
  await writeIfChanged(marker, wanted);
}

async function applyPatiently(api: Api, object: KubernetesObject): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      await api.apply(object);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

async function until(check: Check, report: (line: string) => void): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const problem = await check();
    if (problem === undefined) return;
    report(problem);
    if (performance.now() > deadline) {
      throw new UserError("lab-not-ready", `The lab did not get ready: ${problem}`, {
        exitCode: EXIT.unavailable,
        hint: "Look at 'mayfly lab status' and the logs it names, then run 'mayfly lab up' again.",
      });
    }
    await sleep(100);
  }
}
