import { createHash } from "node:crypto";
import type { GoProgram, GoTool } from "./modules.ts";
import { requiredVersion } from "./modules.ts";

/** The text of a module folder's go.mod, go.sum and own Go files, by name. */
export type ModuleFiles = Readonly<Record<string, string>>;

/** What a binary is for. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
}

/** The arguments of `go build` for one program, without output path and package, which do not change what is built. */
export function buildFlags(program: GoProgram, files: ModuleFiles): string[] {
  const version = versionOf(program, files);
  const variables = Object.entries(program.variables?.(version) ?? {});
  return [
    // The committed go.sum is the whole truth: nothing is added to it, nothing is looked up by the way.
    "-mod=readonly",
    "-trimpath",
    // The commit of this checkout says nothing about these programs.
    "-buildvcs=false",
    ...(program.tags === undefined ? [] : [`-tags=${program.tags.join(",")}`]),
    `-ldflags=${["-s", "-w", ...variables.map(([name, value]) => `-X ${name}=${value}`)].join(" ")}`,
  ];
}

/** A program's version as in go.mod, with its v; `v0.0.0` for what is wholly ours. */
export function versionOf(program: GoProgram, files: ModuleFiles): string {
  if (program.versionOf === undefined) return "v0.0.0";
  const version = requiredVersion(files["go.mod"] ?? "", program.versionOf);
  if (version === undefined)
    throw new Error(`lab/go/${program.module}/go.mod requires no ${program.versionOf}`);
  return version;
}

/**
 * Names a tool's inputs: equal inputs, equal fingerprint, so that the cached build can be used. The Go compiler's own
 * version is not part of it (go.mod's `go` line is): a warm start must not need Go, and a patch release of Go is no reason
 * to build for nine minutes.
 * @param modules Files of each module folder that the tool's programs come from.
 * @returns 16 hex digits.
 */
export function fingerprint(
  tool: GoTool,
  modules: Readonly<Record<string, ModuleFiles>>,
  platform: Platform,
): string {
  const inputs = {
    layout: 1,
    platform,
    links: tool.links ?? {},
    programs: tool.programs.map((program) => {
      const files = modules[program.module] ?? {};
      return {
        files: Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)),
        flags: buildFlags(program, files),
        package: program.package,
        output: program.output,
        copied: program.files ?? {},
      };
    }),
  };
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
}
