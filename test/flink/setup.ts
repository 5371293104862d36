// What Flink's tests need of the lab: the lab itself, with the examples' jars and the newest Flink's image, and that of 1.x.
import { projectDir } from "../../base/paths.ts";
import { childEnv, execute } from "../../base/process.ts";
import { labUp } from "../../lab/index.ts";

/** Those that rows and tests name; each is built only where the lab has it not yet. */
const IMAGES = ["mayfly.dev/flink:2.3.0", "mayfly.dev/flink:1.20.1"];

/** Sets up what is missing. @throws UserError where the lab can't be had; Error with what a build said */
export async function setUp(): Promise<void> {
  await labUp({});
  const { code, stdout, stderr } = await execute("bin/mayfly", ["lab", "images", ...IMAGES], {
    cwd: projectDir,
    env: childEnv(),
  });
  if (code !== 0) throw new Error(`mayfly lab images:\n${stdout}${stderr}`);
}
