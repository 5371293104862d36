import { createWriteStream, readdirSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { EXIT, UserError } from "../../base/errors.ts";
import { projectDir } from "../../base/paths.ts";
import { execute } from "../../base/process.ts";
import { type Report, step } from "../../base/progress.ts";
import { buildFlags, fingerprint, type ModuleFiles, versionOf } from "./fingerprint.ts";
import { type GoCommand, goEnv, goLine, requireGo } from "./go.ts";
import type { GoProgram, GoTool } from "./modules.ts";
import { provideFolder, type StoredTool, toolsDir } from "./store.ts";

/** Where module folders and built tools lie; tests use their own. */
export interface BuildPlaces {
  /** Folder of the module folders. */
  readonly modules: string;
  /** Folder of the built tools. */
  readonly tools: string;
}

const usualPlaces = (): BuildPlaces => ({ modules: join(projectDir, "lab", "go"), tools: toolsDir() });

/**
 * The folder of a tool built from Go modules; builds it if the cache has none from the same inputs.
 * @throws UserError `go-missing`, `go-too-old`, `tool-build-failed`.
 */
export async function provideGoTool(
  tool: GoTool,
  signal?: AbortSignal,
  places: BuildPlaces = usualPlaces(),
): Promise<string> {
  const modules = readModules(tool, places.modules);
  const stored: StoredTool = {
    name: tool.name,
    key: fingerprint(tool, modules, { os: process.platform, arch: process.arch }),
  };
  const version = versionOfTool(tool, modules);
  const make = (draft: string): Promise<Record<string, string>> =>
    step(
      `build ${tool.name} ${shortVersion(version)}`,
      (report) => buildInto(draft, tool, modules, places, report, signal),
      `from its Go module; once, about ${tool.takes} on two cores`,
    );
  const onWait = (): void => {
    process.stderr.write(`… another process is building ${tool.name}: waiting for it\n`);
  };
  return await provideFolder(stored, make, onWait, places.tools);
}

/** A version for people: of a commit between releases (`v1.11.0-0.20250813170300-a0db560f0520`) only the commit. */
export const shortVersion = (version: string): string =>
  /[.-]\d{14}-([0-9a-f]{12})$/.exec(version)?.[1] ?? version;

/** The version of a tool's first program, such as `v1.34.3`. */
function versionOfTool(tool: GoTool, modules: Readonly<Record<string, ModuleFiles>>): string {
  const [program] = tool.programs;
  return program === undefined ? "" : versionOf(program, modules[program.module] ?? {});
}

function readModules(tool: GoTool, root: string): Record<string, ModuleFiles> {
  const isInput = (name: string): boolean =>
    name === "go.mod" || name === "go.sum" || (name.endsWith(".go") && !name.endsWith("_test.go"));
  return Object.fromEntries(
    tool.programs.map(({ module }) => {
      const folder = join(root, module);
      const names = readdirSync(folder).filter(isInput);
      return [
        module,
        Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")])),
      ];
    }),
  );
}

async function buildInto(
  draft: string,
  tool: GoTool,
  modules: Readonly<Record<string, ModuleFiles>>,
  places: BuildPlaces,
  report: Report,
  signal: AbortSignal | undefined,
): Promise<Record<string, string>> {
  const notes: Record<string, string> = { version: versionOfTool(tool, modules).replace(/^v/, "") };
  for (const program of tool.programs) {
    const files = modules[program.module] ?? {};
    const folder = join(places.modules, program.module);
    const go = await requireGo(folder, goLine(files["go.mod"] ?? ""), tool.name);
    notes["go"] = go.version;
    const log = join(places.tools, "logs", `${basename(program.output)}.log`);
    await runGo(
      go,
      ["build", "-v", ...buildFlags(program, files), "-o", join(draft, program.output), program.package],
      { folder, log, report, signal, what: basename(program.output) },
    );
    for (const [from, to] of Object.entries(program.files ?? {})) {
      await copyModuleFiles(go, program, folder, from, join(draft, to));
    }
  }
  for (const [link, target] of Object.entries(tool.links ?? {})) {
    await mkdir(dirname(join(draft, link)), { recursive: true });
    await symlink(target, join(draft, link));
  }
  return notes;
}

interface GoRun {
  readonly folder: string;
  readonly log: string;
  readonly report: Report;
  readonly signal: AbortSignal | undefined;
  readonly what: string;
}

async function runGo(go: GoCommand, args: readonly string[], run: GoRun): Promise<void> {
  await mkdir(dirname(run.log), { recursive: true });
  const log = createWriteStream(run.log);
  log.write(`${go.version}: go ${args.join(" ")}\n`);
  let packages = 0;
  let modules = 0;
  const onOutput = (chunk: string): void => {
    log.write(chunk);
    for (const line of chunk.split("\n")) {
      if (line.startsWith("go: downloading ")) modules += 1;
      // With -v the compiler names each package as it begins with it.
      else if (/^[\w./@+~-]+$/.test(line)) packages += 1;
    }
    run.report(`${run.what}: ${modules} modules fetched, ${packages} packages compiled`);
  };
  const options = { cwd: run.folder, env: goEnv(), onOutput };
  try {
    const result = await execute(go.command, args, {
      ...options,
      ...(run.signal === undefined ? {} : { signal: run.signal }),
    });
    if (result.code === 0) return;
    const ended =
      result.signal === null ? `exit code ${result.code ?? "unknown"}` : `signal ${result.signal}`;
    throw new UserError(
      "tool-build-failed",
      `go build of ${run.what} failed (${ended}):\n${lastLines(result.stderr)}`,
      {
        path: run.log,
        hint: hintFor(result.stderr),
        exitCode: EXIT.unavailable,
      },
    );
  } finally {
    log.end();
  }
}

/** The lines that say what went wrong: the last ones that are neither a package's name nor a download. */
export function lastLines(output: string, count = 12): string {
  const lines = output
    .split("\n")
    .filter(
      (line) => line.trim() !== "" && !line.startsWith("go: downloading ") && !/^[\w./@+~-]+$/.test(line),
    );
  return lines
    .slice(-count)
    .map((line) => `    ${line}`)
    .join("\n");
}

/** What to do about a failed build. */
export function hintFor(output: string): string {
  if (/no space left on device/.test(output)) {
    return "Free about 12 GB: Go keeps what it compiled in `go env GOCACHE` (emptied by `go clean -cache`) and needs TMPDIR.";
  }
  if (/signal: killed|cannot allocate memory|out of memory/.test(output)) {
    return "The compiler ran out of memory: 3 GB must be free. What was compiled is kept; run the same command again.";
  }
  if (/dial tcp|lookup |i\/o timeout|TLS handshake|connection refused|410 Gone|403 Forbidden/.test(output)) {
    return "A Go module could not be fetched. Check the network and `go env GOPROXY GOSUMDB`, then run the same command again.";
  }
  return "The whole output is in the log. What was compiled is kept; run the same command again to go on from there.";
}

async function copyModuleFiles(
  go: GoCommand,
  program: GoProgram,
  folder: string,
  from: string,
  to: string,
): Promise<void> {
  const args = ["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", program.versionOf ?? ""];
  const { code, stdout, stderr } = await execute(go.command, args, { cwd: folder, env: goEnv() });
  if (code !== 0) throw new Error(`go ${args.join(" ")} in ${folder}: ${stderr}`);
  const source = join(stdout.trim(), from);
  await mkdir(to, { recursive: true });
  for (const name of await readdir(source)) {
    await copyFile(join(source, name), join(to, name));
    // The module cache is read-only; a copy that can't be deleted would be in the way later.
    await chmod(join(to, name), 0o644);
  }
}
