import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../host/run.ts";
import { tar } from "../host/tar.ts";
import { RUN } from "../paths.ts";

/** An image as a docker-archive file. */
export interface ImageArchive {
  readonly name: string;
  /** Changes with the content. */
  readonly digest: string;
  /** Absolute path. */
  readonly archive: string;
}

/** Marks an imported image with the digest of what it was imported from. */
const LABEL = "mayfly.dev/archive";

const sha256 = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");

/** One static program as an image: nothing else is in it. The same program gives the same bytes. */
export function programArchive(
  image: string,
  path: string,
  program: Buffer,
): { readonly archive: Buffer; readonly digest: string } {
  const layer = tar([{ name: path, content: program, mode: 0o755 }]);
  const config = JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    created: "1970-01-01T00:00:00Z",
    config: { Entrypoint: [`/${path}`], User: "65535:65535" },
    rootfs: { type: "layers", diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created: "1970-01-01T00:00:00Z", created_by: "mayfly lab" }],
  });
  const name = `${sha256(config)}.json`;
  const manifest = JSON.stringify([{ Config: name, RepoTags: [image], Layers: ["layer.tar"] }]);
  const archive = tar([
    { name, content: Buffer.from(config), mode: 0o644 },
    { name: "layer.tar", content: layer, mode: 0o644 },
    { name: "manifest.json", content: Buffer.from(manifest), mode: 0o644 },
  ]);
  return { archive, digest: `sha256:${sha256(config)}` };
}

/** Image name to archive digest, from what `ctr images list` prints. */
export function parseImported(listed: string): Map<string, string> {
  return new Map(
    listed.split("\n").flatMap((line) => {
      const name = line.split(/\s+/)[0];
      const label = new RegExp(`${LABEL}=([^,\\s]+)`).exec(line)?.[1];
      return name === undefined || label === undefined ? [] : [[name, label] as const];
    }),
  );
}

const isListed = (listed: string, ref: string): boolean =>
  listed.split("\n").some((line) => line.startsWith(`${ref} `));

const ctr = async (...args: string[]): Promise<string> =>
  await run("ctr", ["--address", RUN.containerdSocket, "--namespace", "k8s.io", "images", ...args]);

/** Imports the images that the lab's containerd has not, or has from other archives. @returns Names of those. */
export async function importImages(images: readonly ImageArchive[]): Promise<string[]> {
  const listed = await ctr("list");
  const imported = parseImported(listed);
  const missing = images.filter(({ name, digest }) => imported.get(name) !== digest);
  for (const { name, digest, archive } of missing) {
    // The kubelet's side names each image by its id too: both names hold the old layers on the disk.
    const old = [name, imported.get(name) ?? name].filter((ref) => isListed(listed, ref));
    if (old.length > 0) await ctr("remove", "--sync", ...new Set(old));
    await ctr("import", archive);
    await ctr("label", name, `${LABEL}=${digest}`);
  }
  return missing.map(({ name }) => name);
}

/** Imports an image that is one program. @param folder Where the archive may lie meanwhile. */
export async function importProgram(
  image: string,
  path: string,
  program: string,
  folder: string,
): Promise<void> {
  const { archive, digest } = programArchive(image, path, readFileSync(program));
  const file = join(folder, `${path}.tar`);
  await writeFile(file, archive, { mode: 0o600 });
  try {
    await importImages([{ name: image, digest, archive: file }]);
  } finally {
    await rm(file, { force: true });
  }
}
