import { BASE } from "../base/recipe.ts";

/** What the worker's image stands on: a Debian with a shell, certificates and tini; no Java, no Python. */
export const WORKER_BASE = {
  ...BASE,
  packages: ["ca-certificates", "libstdc++6", "tini"],
  emptyFolders: [],
} as const;

/** All that the image takes of this checkout. Tests, the lab, reviews and the simulation stay out. */
export const SOURCES = [
  "base",
  "bin/mayfly",
  "components",
  "jobs",
  "knowledge",
  "LICENSE",
  "package.json",
  "policy",
  "schema",
  "stacks",
] as const;

/** Only where the official plugin can't be had. */
export const STAND_IN_SOURCES = ["lab/kubernetes-plugin"] as const;

/**
 * Dependencies that job stacks don't use: the classes of AWS and EKS (70 MB) are the environment's, and the library that runs programs for
 * Kubernetes credentials (27 MB) is not needed by who has a service account.
 */
export const LEFT_OUT = ["@kubernetes/client-node", "@pulumi/aws", "@pulumi/eks"] as const;

/** Of packages, files that only people and compilers read. Licences stay. */
export const isForPeople = (file: string): boolean =>
  /\.(map|d\.[cm]?ts|md|markdown|tsbuildinfo)$/i.test(file) && !/licen[cs]e|notice/i.test(file);
