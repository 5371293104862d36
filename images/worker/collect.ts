// For the Dockerfile: `node images/worker/collect.ts <target>` lays out there what of this checkout the image holds.
import { join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { NODE_SCRIPT } from "./layout.ts";
import { copyFiles, copyPackages, packagesOf, sourceFiles, writeScript } from "./tree.ts";

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error("usage: node images/worker/collect.ts <target>");
await copyFiles(projectDir, await sourceFiles(projectDir, false), target);
await copyPackages(projectDir, await packagesOf(projectDir), target);
await writeScript(join(target, "bin/node"), NODE_SCRIPT);
