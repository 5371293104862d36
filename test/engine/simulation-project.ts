import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectDir } from "../../base/paths.ts";

/** A Pulumi project that is only there for a test. */
export interface Project {
  readonly folder: string;
  /** Writes the program again: an edit of it. */
  readonly edit: (program: string) => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/** @param program TypeScript; imports find the packages of this repository. */
export async function writeProject(name: string, program: string): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-test-simulation-"));
  await mkdir(join(folder, "program"));
  await symlink(join(projectDir, "node_modules"), join(folder, "node_modules"));
  const edit = async (text: string): Promise<void> => {
    await writeFile(join(folder, "program", "index.ts"), text);
  };
  await Promise.all([
    edit(program),
    writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" })),
    writeFile(
      join(folder, "Pulumi.yaml"),
      JSON.stringify({
        name,
        main: "program/index.ts",
        runtime: { name: "nodejs", options: { typescript: false } },
        config: { "pulumi:disable-default-providers": { value: ["*"] } },
      }),
    ),
  ]);
  return {
    folder,
    edit,
    [Symbol.asyncDispose]: async () => {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
