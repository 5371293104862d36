/**
 * Official first: which source a tool of Pulumi comes from. Pure; official.ts finds the facts and acts.
 */

/** How long "can't be had here" is believed before it is looked into again, in milliseconds. */
export const ASK_AGAIN_AFTER = 24 * 3600 * 1000;

/** The oldest Pulumi CLI that the engine works with. */
export const OLDEST_CLI = "3.200.0";

/** An official program that was found on this machine. */
export interface Installed {
  /** Without a leading v. */
  readonly version: string;
  readonly folder: string;
}

/** An earlier look that found that the official download can't be had. */
export interface Remembered {
  /** Which download: another version is another question. */
  readonly artifact: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: string;
}

/** What the choice depends on. */
export interface Facts {
  /** The name of the download that would be used. */
  readonly artifact: string;
  readonly installed: Installed | undefined;
  /** Whether this version accepts `installed`. */
  readonly accepts: (version: string) => boolean;
  /** Folder of an earlier download of `artifact`. */
  readonly downloaded: string | undefined;
  readonly remembered: Remembered | undefined;
  readonly refresh: boolean;
  readonly now: number;
}

/** The source to use, or `try-download` when only an attempt can tell. */
export type Choice =
  | { readonly use: "installed"; readonly installed: Installed }
  | { readonly use: "downloaded"; readonly folder: string }
  | { readonly use: "try-download" }
  | { readonly use: "fallback"; readonly reason: string };

/** Chooses what costs least time among what is official; falls back only on a recent look that found nothing. */
export function choose(facts: Facts): Choice {
  const { installed, remembered } = facts;
  if (installed !== undefined && facts.accepts(installed.version)) return { use: "installed", installed };
  if (facts.downloaded !== undefined) return { use: "downloaded", folder: facts.downloaded };
  if (remembered === undefined || facts.refresh || remembered.artifact !== facts.artifact) {
    return { use: "try-download" };
  }
  const age = facts.now - remembered.at;
  // A clock that was set back makes the age negative: believe nothing then.
  return age >= 0 && age < ASK_AGAIN_AFTER
    ? { use: "fallback", reason: remembered.reason }
    : { use: "try-download" };
}

/** Where the official files of one version are. */
export interface Artifact {
  /** File name of the archive, which names version and platform. */
  readonly name: string;
  readonly url: string;
  /** A list of checksums, as sha256sum prints them. */
  readonly checksums: string;
  /** Whether a missing list means that the archive is not used. */
  readonly checksumsRequired: boolean;
  /** Leading folders in the archive to drop. */
  readonly strip: number;
}

/** Node's names of platforms to those in Pulumi's file names. */
const ARCH = { cli: { x64: "x64", arm64: "arm64" }, plugin: { x64: "amd64", arm64: "arm64" } } as const;

const archOf = (kind: keyof typeof ARCH, arch: string): string | undefined =>
  arch === "x64" || arch === "arm64" ? ARCH[kind][arch] : undefined;

const osOf = (os: string): string | undefined => (os === "linux" || os === "darwin" ? os : undefined);

/**
 * The official CLI's archive and its published SHA-256 list (https://www.pulumi.com/docs/iac/download-install/versions/);
 * undefined for a platform that has none.
 */
export function cliArtifact(version: string, os: string, arch: string): Artifact | undefined {
  const [system, machine] = [osOf(os), archOf("cli", arch)];
  if (system === undefined || machine === undefined) return undefined;
  const name = `pulumi-v${version}-${system}-${machine}.tar.gz`;
  const folder = "https://get.pulumi.com/releases/sdk";
  return {
    name,
    url: `${folder}/${name}`,
    checksums: `${folder}/pulumi-${version}-checksums.txt`,
    checksumsRequired: true,
    strip: 1,
  };
}

/** The official Kubernetes provider's archive. Its checksums are published with the release on GitHub only. */
export function kubernetesPluginArtifact(version: string, os: string, arch: string): Artifact | undefined {
  const [system, machine] = [osOf(os), archOf("plugin", arch)];
  if (system === undefined || machine === undefined) return undefined;
  const name = `pulumi-resource-kubernetes-v${version}-${system}-${machine}.tar.gz`;
  return {
    name,
    url: `https://get.pulumi.com/releases/plugins/${name}`,
    checksums: `https://github.com/pulumi/pulumi-kubernetes/releases/download/v${version}/pulumi-kubernetes_${version}_checksums.txt`,
    checksumsRequired: false,
    strip: 0,
  };
}

/** A published checksum; the length of the digest tells the algorithm. */
export interface Checksum {
  readonly algorithm: "sha256" | "sha512";
  readonly hex: string;
}

/** Finds a file's checksum in a list as sha256sum or sha512sum print it (`<hex>  <name>`, `<hex> *./<name>`). */
export function checksumIn(list: string, file: string): Checksum | undefined {
  for (const line of list.split("\n")) {
    const [, digest = "", name = ""] = /^([0-9a-fA-F]+)\s+\*?(?:\.\/)?(\S+)$/.exec(line.trim()) ?? [];
    if (name !== file) continue;
    const hex = digest.toLowerCase();
    if (hex.length === 64) return { algorithm: "sha256", hex };
    if (hex.length === 128) return { algorithm: "sha512", hex };
  }
  return undefined;
}
