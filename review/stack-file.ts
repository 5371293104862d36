import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { EXIT, UserError } from "../base/errors.ts";
import { suggest } from "../base/nearest.ts";
import type { EnvironmentConfig } from "../schema/environment/index.ts";
import { checkedConfig, NAMESPACE } from "../stacks/environment/check-config.ts";

/** A stack's file, as Pulumi writes it. */
const StackFile = z.looseObject({ config: z.record(z.string(), z.unknown()).nullish() });

/** Name of the file that holds a stack's config. */
export const stackFileName = (stack: string): string => `Pulumi.${stack}.yaml`;

/**
 * The text of a stack's file.
 * @throws UserError `no-such-stack`, with the nearest name of a stack that has one.
 */
export async function readStackFile(projectDir: string, stack: string): Promise<string> {
  const file = stackFileName(stack);
  try {
    if (basename(file) !== file) throw new Error("a path is no name of a stack");
    return await readFile(join(projectDir, file), "utf8");
  } catch (cause) {
    const stacks = (await readdir(projectDir)).flatMap(
      (name) => /^Pulumi\.([\w-]+)\.yaml$/.exec(name)?.[1] ?? [],
    );
    throw new UserError("no-such-stack", `There is no environment "${stack}": ${file} can't be read.`, {
      path: projectDir,
      hint: suggest(stack, stacks),
      exitCode: EXIT.missingInput,
      cause,
    });
  }
}

/**
 * The environment's config in the text of a stack's file, checked as the program itself does.
 * @param where For messages.
 * @throws UserError `config-invalid`, `config-outdated`, `file-invalid`.
 */
export function configIn(text: string, where: string): EnvironmentConfig {
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (cause) {
    throw new UserError("file-invalid", cause instanceof Error ? cause.message : "The file is not YAML.", {
      path: where,
      cause,
    });
  }
  const { success, data } = StackFile.safeParse(parsed ?? {});
  if (!success) {
    throw new UserError("file-invalid", "The file has no `config` with keys in it.", {
      path: where,
      hint: "docs/environment.md shows a whole one.",
    });
  }
  const values = Object.entries(data.config ?? {}).flatMap(([key, value]) =>
    key.startsWith(NAMESPACE) ? [[key.slice(NAMESPACE.length), value] as const] : [],
  );
  return checkedConfig(Object.fromEntries(values), where);
}
