import { createHash } from "node:crypto";
import type { Submission } from "./types.ts";

/** Tells whether two submissions ask for the same: by SHA-256 of what decides it, with members in one order. */
export const digestOf = ({
  spec,
  environment,
  interval,
}: Pick<Submission, "spec" | "environment" | "interval">): string =>
  createHash("sha256").update(JSON.stringify({ spec, environment, interval }, ordered)).digest("hex");

function ordered(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
