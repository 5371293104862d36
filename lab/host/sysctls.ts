import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { readIfThere, writeIfChanged } from "./files.ts";

/** What the lab needs. */
const NEEDED: Readonly<Record<string, string>> = {
  "net.ipv4.ip_forward": "1",
  "net.bridge.bridge-nf-call-iptables": "1",
};

/**
 * What the lab or its daemons change on the host. The kubelet sets the vm and kernel ones by itself, kube-proxy and Felix
 * some of the others; all are remembered before the first start and put back by `lab down`.
 */
const TOUCHED = [
  ...Object.keys(NEEDED),
  "vm.overcommit_memory",
  "vm.panic_on_oom",
  "kernel.panic",
  "kernel.panic_on_oops",
  "kernel.keys.root_maxkeys",
  "kernel.keys.root_maxbytes",
  "net.ipv4.conf.all.route_localnet",
  "net.netfilter.nf_conntrack_max",
  "net.netfilter.nf_conntrack_tcp_be_liberal",
  "net.netfilter.nf_conntrack_tcp_timeout_established",
  "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
];

const Saved = z.record(z.string(), z.string());

const fileOf = (name: string): string => `/proc/sys/${name.replaceAll(".", "/")}`;

/** Remembers the values of before (once per run of the lab) and sets what is needed. Cheap when all is set. */
export async function applySysctls(savedFile: string): Promise<void> {
  if (readIfThere(savedFile) === undefined) {
    const values = TOUCHED.flatMap((name) => {
      const value = readIfThere(fileOf(name));
      return value === undefined ? [] : [[name, value.trim()] as const];
    });
    await writeIfChanged(savedFile, JSON.stringify(Object.fromEntries(values)));
  }
  for (const [name, wanted] of Object.entries(NEEDED)) {
    const value = readIfThere(fileOf(name));
    // Absent without the bridge module; the node has no pods behind a bridge, so nothing is lost.
    if (value !== undefined && value.trim() !== wanted) await writeFile(fileOf(name), wanted);
  }
}

/** The settings that still differ from what they were before the lab: name, value now, value before. */
export function changedSysctls(savedFile: string): { name: string; now: string; before: string }[] {
  const text = readIfThere(savedFile);
  if (text === undefined) return [];
  return Object.entries(Saved.parse(JSON.parse(text))).flatMap(([name, before]) => {
    const now = readFileSync(fileOf(name), "utf8").trim();
    return now === before ? [] : [{ name, now, before }];
  });
}

/** Puts the remembered values back. */
export async function restoreSysctls(savedFile: string): Promise<void> {
  for (const { name, before } of changedSysctls(savedFile)) await writeFile(fileOf(name), before);
  await rm(savedFile, { force: true });
}
