import { readFileSync } from "node:fs";
import { execute } from "../base/process.ts";
import { missingImagePackages } from "../images/index.ts";
import { chooseKind, hostState } from "./choose.ts";
import { hierarchies } from "./host/cgroups.ts";
import { hostPackageManager } from "./host/packages.ts";
import { findProgram, installCommand, programRequirements, type Requirement } from "./host/requirements.ts";

/** What `mayfly lab doctor` shows. */
export interface DoctorReport {
  readonly kind: "kind" | "processes" | "none";
  readonly ok: boolean;
  readonly requirements: readonly Requirement[];
}

const CONTROLLERS = ["cpu", "cpuset", "memory", "pids"];

/** Checks everything that `lab up` needs on this machine, without changing anything. */
export async function labDoctor(): Promise<DoctorReport> {
  const state = await hostState();
  let kind: DoctorReport["kind"] = "none";
  try {
    kind = chooseKind(state).kind;
  } catch {
    // Told as a requirement below, with the others.
  }
  const engine: Requirement =
    state.engine === undefined
      ? {
          name: "Docker or Podman",
          ok: kind === "processes",
          detail: "none answers; the lab runs as processes of root",
          command: undefined,
        }
      : { name: "Docker or Podman", ok: true, detail: state.engine };
  const root: Requirement = {
    name: "root on Linux",
    ok: kind !== "none",
    detail: `${state.platform}, ${state.isRoot ? "root" : "not root"}`,
    command: kind === "none" ? "sudo systemctl start docker, or run as root on Linux" : undefined,
  };
  const requirements =
    kind === "kind"
      ? [engine]
      : [
          engine,
          root,
          ...programRequirements(hostPackageManager()),
          imagePrograms(),
          cgroups(),
          await goToolchain(),
          overlay(),
          memory(),
        ];
  return { kind, ok: requirements.every(({ ok }) => ok), requirements };
}

function imagePrograms(): Requirement {
  const packages = missingImagePackages();
  const ok = packages.length === 0;
  return {
    name: "programs to build images",
    ok,
    detail: ok ? "all found" : `missing: ${packages.join(", ")}`,
    command: ok ? undefined : installCommand(packages, hostPackageManager()),
  };
}

function cgroups(): Requirement {
  const mounted = hierarchies();
  const versions = new Set(mounted.map(({ version }) => version));
  const controllers = mounted.flatMap(({ controllers: names, version, mountPoint }) =>
    version === 1 ? names : readFileSync(`${mountPoint}/cgroup.controllers`, "utf8").trim().split(" "),
  );
  const missing = CONTROLLERS.filter((name) => !controllers.includes(name));
  return {
    name: "cgroups",
    ok: missing.length === 0,
    detail:
      missing.length === 0 ? `version ${[...versions].join(" and ")}` : `no controller ${missing.join(", ")}`,
    command:
      missing.length === 0
        ? undefined
        : "mount the cgroup controllers, for instance by Debian's package cgroupfs-mount",
  };
}

async function goToolchain(): Promise<Requirement> {
  const name = "Go (only for the first build)";
  const path = findProgram("go");
  if (path === undefined) {
    return {
      name,
      ok: false,
      detail: "not found",
      command: "install Go from https://go.dev/dl or your package manager",
    };
  }
  const { stdout } = await execute(path, ["version"]);
  return { name, ok: true, detail: stdout.trim() };
}

function overlay(): Requirement {
  const known = readFileSync("/proc/filesystems", "utf8").includes("\toverlay\n");
  return known
    ? { name: "overlay file system", ok: true, detail: "known to the kernel" }
    : {
        name: "overlay file system",
        ok: false,
        detail: "unknown to the kernel",
        command: "modprobe overlay",
      };
}

function memory(): Requirement {
  const total =
    Number(/^MemTotal:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0) / 1024 ** 2;
  const ok = total >= 3.5;
  return {
    name: "memory",
    ok,
    detail: `${total.toFixed(1)} GiB`,
    command: ok ? undefined : "give the machine 4 GiB or more",
  };
}
