import { execute } from "../../base/process.ts";
import { run } from "./run.ts";

/** Chains of kube-proxy and the kubelet (KUBE-), Calico (cali-), and the CNI plugins portmap and bridge (CNI-). */
const OURS = /^(KUBE-|cali-|CNI-)/;
const OUR_SETS = /^(cali[46]|KUBE-)/;

/** What of one table is the lab's. */
export interface TableRemains {
  readonly table: string;
  /** Chains of ours. */
  readonly chains: readonly string[];
  /** Rules in chains of the system that jump to ours, as `iptables-save` prints them. */
  readonly rules: readonly string[];
}

/** Reads what `iptables-save` prints. */
export function parseRemains(saved: string): TableRemains[] {
  const tables: { table: string; chains: string[]; rules: string[] }[] = [];
  for (const line of saved.split("\n")) {
    const current = tables.at(-1);
    if (line.startsWith("*")) tables.push({ table: line.slice(1), chains: [], rules: [] });
    else if (current !== undefined && line.startsWith(":")) {
      const chain = line.slice(1).split(" ")[0] ?? "";
      if (OURS.test(chain)) current.chains.push(chain);
    } else if (current !== undefined && line.startsWith("-A ")) {
      const chain = line.split(" ")[1] ?? "";
      const isOurs = /\s(?:-j|-g) (?:KUBE-|cali-|CNI-)/.test(line) || line.includes('--comment "cali:');
      if (!OURS.test(chain) && isOurs) current.rules.push(line);
    }
  }
  return tables.filter(({ chains, rules }) => chains.length + rules.length > 0);
}

/** The input for `iptables-restore --noflush` that removes the remains and nothing else. */
export function removalScript(remains: readonly TableRemains[]): string {
  return remains
    .map(({ table, chains, rules }) =>
      [
        `*${table}`,
        // Declaring a chain empties it, so that no rule refers to another chain when they are deleted.
        ...chains.map((chain) => `:${chain} - [0:0]`),
        ...rules.map((rule) => rule.replace(/^-A /, "-D ")),
        ...chains.map((chain) => `-X ${chain}`),
        "COMMIT",
        "",
      ].join("\n"),
    )
    .join("");
}

/** `iptables` and `ip6tables`, with what each still has of ours. */
export async function firewallRemains(): Promise<{ family: string; remains: TableRemains[] }[]> {
  return await Promise.all(
    ["iptables", "ip6tables"].map(async (family) => {
      const saved = await execute(`${family}-save`, []);
      return { family, remains: saved.code === 0 ? parseRemains(saved.stdout) : [] };
    }),
  );
}

/** IP sets of ours. */
export async function labIpsets(): Promise<string[]> {
  const listed = await execute("ipset", ["list", "-name"]);
  return listed.code === 0 ? listed.stdout.split("\n").filter((name) => OUR_SETS.test(name)) : [];
}

/** Removes all chains, rules and sets of ours; rules of others stay as they are. */
export async function removeFirewall(): Promise<void> {
  for (const { family, remains } of await firewallRemains()) {
    if (remains.length === 0) continue;
    await run(`${family}-restore`, ["--noflush", "--wait", "5"], { input: removalScript(remains) });
  }
  const sets = await labIpsets();
  if (sets.length > 0) {
    await run("ipset", ["restore"], { input: sets.map((name) => `destroy ${name}\n`).join("") });
  }
}
