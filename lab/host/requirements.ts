import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** One thing that the machine must have. */
export interface Requirement {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what is wrong. */
  readonly detail: string;
  /** The command that provides it. */
  readonly command?: string | undefined;
}

/** Programs of the host that the process lab needs, and the Debian package of each. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  containerd: "containerd",
  ctr: "containerd",
  runc: "runc",
  iptables: "iptables",
  ipset: "ipset",
  conntrack: "conntrack",
  ip: "iproute2",
  mount: "mount",
  openssl: "openssl",
};

/** CNI plugins that Calico hands over to, and the folders in which distributions put them. */
export const CNI_PLUGINS = ["host-local", "loopback", "portmap"] as const;
const CNI_FOLDERS = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];
const CNI_PACKAGE = "containernetworking-plugins";

/** Root's programs lie here, which the PATH of other users (and of sudo) may lack. */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Where the Go archive of go.dev unpacks to. */
const GO_FOLDER = "/usr/local/go/bin";

/** PATH with the folders of root's programs. */
export function systemPath(path: string = process.env["PATH"] ?? ""): string {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return [...folders, ...SYSTEM_FOLDERS.filter((folder) => !folders.includes(folder))].join(delimiter);
}

/** Absolute path of a program on {@link systemPath}. */
export function findProgram(name: string): string | undefined {
  return [...systemPath().split(delimiter), GO_FOLDER]
    .map((folder) => join(folder, name))
    .find((path) => isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The folder with all of {@link CNI_PLUGINS}. */
export const cniFolder = (): string | undefined =>
  CNI_FOLDERS.find((folder) => CNI_PLUGINS.every((plugin) => existsSync(join(folder, plugin))));

/** How packages are installed here: `apt` where Mayfly does it itself. */
export type PackageManager = "apt" | "unknown";

/** From the text of `/etc/os-release`. */
export function packageManagerOf(osRelease: string): PackageManager {
  const ids = osRelease
    .split("\n")
    .flatMap((line) => /^(?:ID|ID_LIKE)="?([^"]*)"?$/.exec(line)?.[1]?.split(" ") ?? []);
  return ids.includes("debian") || ids.includes("ubuntu") ? "apt" : "unknown";
}

/** The command that installs packages, for people. */
export const installCommand = (packages: readonly string[], manager: PackageManager): string =>
  manager === "apt"
    ? `apt-get install --no-install-recommends ${packages.join(" ")}`
    : `install with your package manager what Debian calls: ${packages.join(" ")}`;

/** Every program and plugin with its place or what to install. */
export function programRequirements(manager: PackageManager): Requirement[] {
  const programs = Object.entries(PROGRAMS).map(([name, debian]): Requirement => {
    const path = findProgram(name);
    return path === undefined
      ? { name, ok: false, detail: "not found", command: installCommand([debian], manager) }
      : { name, ok: true, detail: path };
  });
  const folder = cniFolder();
  return [
    ...programs,
    folder === undefined
      ? {
          name: "CNI plugins",
          ok: false,
          detail: `${CNI_PLUGINS.join(", ")} not found`,
          command: installCommand([CNI_PACKAGE], manager),
        }
      : { name: "CNI plugins", ok: true, detail: folder },
  ];
}

/** Debian packages to install, each once. */
export function missingPackages(): string[] {
  const programs = Object.entries(PROGRAMS).flatMap(([name, debian]) =>
    findProgram(name) === undefined ? [debian] : [],
  );
  return [...new Set([...programs, ...(cniFolder() === undefined ? [CNI_PACKAGE] : [])])];
}
