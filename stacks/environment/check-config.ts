import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import {
  CONFIG_VERSION,
  EksEnvironment,
  type EnvironmentConfig,
  ExistingEnvironment,
  MIGRATIONS,
} from "../../schema/environment/index.ts";
import { parseConfig } from "../parse.ts";
import { configProblems } from "./rules/index.ts";

/** Pulumi's namespace of the project's config keys. */
export const NAMESPACE = "mayfly:";

/**
 * Checks the values of a stack's config: their version, their form, and what holds between them.
 * @param values By config key without the namespace `mayfly:`.
 * @param file For messages.
 * @throws UserError `config-invalid`, `config-outdated`.
 */
export function checkedConfig(values: Readonly<Record<string, unknown>>, file: string): EnvironmentConfig {
  refuseOtherVersion(values["version"], file);
  const source = { what: "The environment's config", where: file, prefix: NAMESPACE };
  const config = parseConfig(schemaFor(values["cluster"]), values, source);
  const problems = configProblems(config);
  if (problems.length === 0) return config;
  const lines = problems.map(({ path, message }) => `\n  ${NAMESPACE}${path}: ${message}`);
  throw new UserError("config-invalid", `The environment's config is not valid:${lines.join("")}`, {
    path: file,
  });
}

/** The two kinds of environment differ in most keys: choosing by `cluster.kind` keeps messages to the kind that was meant. */
function schemaFor(cluster: unknown): z.ZodType<EnvironmentConfig> {
  const { data } = z.looseObject({ kind: z.string() }).safeParse(cluster);
  return data?.kind === "eks" ? EksEnvironment : ExistingEnvironment;
}

function refuseOtherVersion(version: unknown, file: string): void {
  if (version === CONFIG_VERSION) return;
  // Version 1 did not say its version.
  const known = version === undefined ? 1 : Number(version);
  const steps = MIGRATIONS[known];
  if (steps === undefined) {
    throw new UserError(
      "config-outdated",
      `mayfly:version is ${JSON.stringify(version)}; this Mayfly reads version ${CONFIG_VERSION}.`,
      { path: file, hint: "Use the Mayfly that the config was written for." },
    );
  }
  throw new UserError(
    "config-outdated",
    `The config is of version ${known}; this Mayfly reads version ${CONFIG_VERSION}. To bring it up to date:` +
      steps.map((step) => `\n  - ${step}`).join(""),
    { path: file, hint: "docs/environment.md shows a whole config." },
  );
}
