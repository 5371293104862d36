import { stat } from "node:fs/promises";
import { SOURCE_DATE_EPOCH } from "../base/recipe.ts";
import { run } from "./run.ts";
import { sha256File } from "./sum.ts";

/** A layer of an image: an uncompressed tar file, so its digest is also its diff id. */
export interface Layer {
  readonly path: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly size: number;
  /** What the layer is, for `docker history`. */
  readonly what: string;
}

/** How GNU tar writes the same bytes for the same tree: https://reproducible-builds.org/docs/archives/ */
const STABLE = [
  "--format=gnu",
  "--sort=name",
  "--numeric-owner",
  "--clamp-mtime",
  `--mtime=@${SOURCE_DATE_EPOCH}`,
];

/** One part of a tree that becomes a layer. */
export interface LayerContent {
  readonly what: string;
  /** Paths relative to the root. Folders are taken whole. */
  readonly paths: readonly string[];
  /** Paths below them that are left out. */
  readonly without?: readonly string[];
}

/** Packs a part of a tree. The same content gives the same layer, whenever and wherever it was made. */
export async function packLayer(
  root: string,
  content: LayerContent,
  path: string,
  signal?: AbortSignal,
): Promise<Layer> {
  const { what, paths, without = [] } = content;
  await run(
    `layer '${what}'`,
    "tar",
    [
      ...STABLE,
      ...["--create", "--file", path, "--directory", root, "--anchored", "--no-wildcards"],
      ...without.map((left) => `--exclude=${left}`),
      "--",
      ...paths,
    ],
    signal === undefined ? {} : { signal },
  );
  return { path, what, digest: `sha256:${await sha256File(path)}`, size: (await stat(path)).size };
}
