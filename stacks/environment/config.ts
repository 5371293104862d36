import * as pulumi from "@pulumi/pulumi";
import type { EnvironmentConfig } from "../../schema/environment/index.ts";
import { checkedConfig, NAMESPACE } from "./check-config.ts";

/**
 * The stack's config, whole and checked.
 * @throws UserError `config-invalid`, with the path of each problem such as `mayfly:pools[0].zones`; `config-outdated`.
 */
export function readConfig(): EnvironmentConfig {
  const values: Record<string, unknown> = {};
  // All keys and not just the known ones, so that a mistyped key is refused instead of ignored.
  for (const [key, text] of Object.entries(pulumi.runtime.allConfig())) {
    if (key.startsWith(NAMESPACE)) values[key.slice(NAMESPACE.length)] = parseValue(text);
  }
  return checkedConfig(values, `Pulumi.${pulumi.getStack()}.yaml`);
}

/** Objects, lists, numbers and booleans reach a program as JSON text; plain text as it is. */
function parseValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}
