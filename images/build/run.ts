import { EXIT, UserError } from "../../base/errors.ts";
import { childEnv, type ExecuteOptions, execute } from "../../base/process.ts";

/** Variables by which people tell the package clients where their mirrors and certificates are. */
const CLIENT_VARIABLES = [
  "PIP_CERT",
  "PIP_CONFIG_FILE",
  "PIP_DEFAULT_TIMEOUT",
  "PIP_EXTRA_INDEX_URL",
  "PIP_INDEX_URL",
  "PIP_TRUSTED_HOST",
  "JAVA_HOME",
  "MAVEN_OPTS",
];

/** The environment of a package client (pip, mvn, apt). */
export const clientEnv = (): Record<string, string> =>
  childEnv(
    Object.fromEntries(
      CLIENT_VARIABLES.flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value]];
      }),
    ),
  );

/**
 * Runs a command of an image build that must succeed.
 * @param what For people: `Spark's archive from PyPI`.
 * @throws UserError `image-build-failed` with the last lines that the command printed.
 */
export async function run(
  what: string,
  command: string,
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<string> {
  const { code, signal, stdout, stderr } = await execute(command, args, options);
  if (code === 0) return stdout;
  const words = `${stdout}\n${stderr}`.trim().split("\n").slice(-25).join("\n");
  throw new UserError(
    "image-build-failed",
    `${what}: '${command}' failed (${signal ?? `exit code ${code ?? "unknown"}`}):\n${words}`,
    {
      exitCode: EXIT.unavailable,
      hint: "What was fetched so far is kept. Look at the lines above, then run the same command again.",
    },
  );
}
