import * as pulumi from "@pulumi/pulumi";
import { UserError } from "../../base/errors.ts";
import { EnvironmentConfig } from "../../schema/environment.ts";
import { parseConfig } from "../door.ts";

const NAMESPACE = "mayfly:";

/**
 * The stack's config, whole and checked.
 * @throws UserError `config-invalid`, with the path of each problem such as `mayfly:pools[0].zones`.
 */
export function readConfig(): EnvironmentConfig {
  const values: Record<string, unknown> = {};
  // All keys and not just the known ones, so that a mistyped key is refused instead of ignored.
  for (const [key, text] of Object.entries(pulumi.runtime.allConfig())) {
    if (key.startsWith(NAMESPACE)) values[key.slice(NAMESPACE.length)] = parseValue(key, text);
  }
  return parseConfig(EnvironmentConfig, values, {
    what: "The environment's config",
    where: `Pulumi.${pulumi.getStack()}.yaml`,
    prefix: NAMESPACE,
  });
}

/** Objects and lists reach a program as JSON text. */
function parseValue(key: string, text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    throw new UserError("config-invalid", "must be an object or a list", { path: key, cause });
  }
}
