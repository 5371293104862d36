import { link, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SOURCE_DATE_EPOCH } from "../base/recipe.ts";
import type { Layer } from "./layer.ts";
import { run } from "./run.ts";
import { sha256Text } from "./sum.ts";

/** What a container of the image starts with. */
export interface ImageConfig {
  readonly name: string;
  /** `uid:gid` */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly workDir: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Small files of an image archive, path to content, and the digests that name the image. */
export interface ImageDocuments {
  readonly files: Readonly<Record<string, string>>;
  /** Digest of the config: the image id of Docker and of the kubelet. */
  readonly id: string;
  /** Digest of the manifest: what containerd calls the image's digest. */
  readonly manifest: string;
}

const blob = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

/** Name of a platform's architecture in image configs. */
const architecture = (): string => (process.arch === "x64" ? "amd64" : process.arch);

/**
 * Describes an image in both forms at once, as `docker save` does: OCI layout (index.json) for containerd, manifest.json for older
 * readers. Pure.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export function imageDocuments(config: ImageConfig, layers: readonly Layer[]): ImageDocuments {
  const created = new Date(SOURCE_DATE_EPOCH * 1000).toISOString().replace(".000", "");
  const platform = { architecture: architecture(), os: "linux" };
  const configText = JSON.stringify({
    ...platform,
    created,
    config: {
      User: config.user,
      Env: Object.entries(config.env).map(([name, value]) => `${name}=${value}`),
      Entrypoint: config.entrypoint,
      WorkingDir: config.workDir,
      Labels: config.labels,
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(({ what }) => ({ created, created_by: `mayfly: ${what}` })),
  });
  const id = `sha256:${sha256Text(configText)}`;
  const manifestText = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: id,
      size: Buffer.byteLength(configText),
    },
    layers: layers.map(({ digest, size }) => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest,
      size,
    })),
  });
  const manifest = `sha256:${sha256Text(manifestText)}`;
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: manifest,
        size: Buffer.byteLength(manifestText),
        platform,
        annotations: {
          "io.containerd.image.name": config.name,
          "org.opencontainers.image.ref.name": config.name.split(":")[1] ?? "latest",
        },
      },
    ],
  };
  const docker = [
    { Config: blob(id), RepoTags: [config.name], Layers: layers.map(({ digest }) => blob(digest)) },
  ];
  return {
    files: {
      "oci-layout": JSON.stringify({ imageLayoutVersion: "1.0.0" }),
      "index.json": JSON.stringify(index),
      "manifest.json": JSON.stringify(docker),
      [blob(id)]: configText,
      [blob(manifest)]: manifestText,
    },
    id,
    manifest,
  };
}

/**
 * Writes an image as one archive file; it appears whole or not at all.
 * @param folder A scratch folder on the same file system as the layers and the archive.
 */
export async function packArchive(
  documents: ImageDocuments,
  layers: readonly Layer[],
  folder: string,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const stage = join(folder, "archive");
  const draft = join(folder, "archive.tar");
  await rm(stage, { recursive: true, force: true });
  await mkdir(join(stage, "blobs/sha256"), { recursive: true });
  for (const [name, content] of Object.entries(documents.files)) await writeFile(join(stage, name), content);
  for (const layer of layers) await link(layer.path, join(stage, blob(layer.digest)));
  await run(
    "image archive",
    "tar",
    [
      ...["--format=gnu", "--sort=name", "--numeric-owner", "--owner=0", "--group=0", "--mode=u=rwX,go=rX"],
      ...[`--mtime=@${SOURCE_DATE_EPOCH}`, "--hard-dereference", "--create", "--file", draft],
      ...["--directory", stage, "--", "oci-layout", "index.json", "manifest.json", "blobs"],
    ],
    signal === undefined ? {} : { signal },
  );
  await rename(draft, path);
}
