import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { EXIT, UserError } from "../base/errors.ts";
import { projectDir } from "../base/paths.ts";
import { childEnv, execute } from "../base/process.ts";
import { type Report, step } from "../base/progress.ts";
import type { Connection } from "../schema/connection.ts";
import { EnvironmentContract } from "../schema/contract.ts";
import { pulumiVariables } from "./connection.ts";
import { readClusterFacts } from "./environment/cluster.ts";
import { projectText, stackText } from "./environment/config.ts";
import { putTenantSecrets, tenantSecretsAreThere } from "./environment/secrets.ts";
import { digest, readIfThere, writeIfChanged } from "./host/files.ts";
import { LAB, POOL_LABEL } from "./settings.ts";

/**
 * Last step of `lab up`: brings the environment project up on the lab's cluster by a real `pulumi up`, writes its contract to
 * `connection.contract`, and puts the tenant's S3 identity into its namespace. Cheap where nothing has changed.
 * @param worker The value of `mayfly:worker`, where workers are wanted in the cluster.
 * @returns Whether anything changed.
 * @throws UserError `environment-failed`, with what Pulumi said.
 */
export async function applyEnvironment(connection: Connection, worker?: object): Promise<boolean> {
  const env = labVariables(connection);
  const contract = readContract(connection.contract);
  const [facts, secretsAreThere] = await Promise.all([
    readClusterFacts(env),
    contract !== undefined && tenantSecretsAreThere(contract, connection, env),
  ]);
  // A folder of its own, since Pulumi writes the salt of the machine's passphrase into the stack's file.
  const folder = join(dirname(connection.contract), "environment");
  const project = projectText(readFileSync(join(projectDir, "Pulumi.yaml"), "utf8"), projectDir);
  const stack = stackText(
    readFileSync(join(projectDir, `Pulumi.${LAB.name}.yaml`), "utf8"),
    connection.s3,
    facts,
    worker,
  );
  const inputs = digest(project, stack, sources(), JSON.stringify([facts.clusterId, facts.allocatable]));
  const stamp = join(folder, "applied");
  const current =
    readIfThere(stamp) === inputs &&
    contract?.tenants.every(({ namespace }) => facts.namespaces.has(namespace)) === true &&
    POOL_LABEL in facts.labels;
  if (current) {
    if (!secretsAreThere) await putTenantSecrets(contract, connection, env);
    return !secretsAreThere;
  }

  await step("environment", async (report) => {
    await writeIfChanged(join(folder, "Pulumi.yaml"), project);
    await writeIfChanged(join(folder, `Pulumi.${LAB.name}.yaml`), stack);
    const made = await pulumiUp(folder, env, facts.clusterId, report);
    await putTenantSecrets(made, connection, env);
    await writeIfChanged(connection.contract, `${JSON.stringify(made, undefined, 2)}\n`);
    await writeIfChanged(stamp, inputs);
  });
  return true;
}

/** As much of the outputs of an earlier update, of whatever version, as says where it was. */
const Outputs = z.looseObject({ contract: z.looseObject({ clusterId: z.string() }).optional() });

/** Environment of `pulumi` and `kubectl` on the lab. */
export const labVariables = (connection: Connection): Record<string, string> =>
  childEnv({ ...pulumiVariables(connection), PATH: pathFor(connection) });

/** The lab's tools, and the Node that this runs on, before whatever else the host has. */
const pathFor = (connection: Connection): string =>
  [...connection.path, dirname(process.execPath), childEnv()["PATH"] ?? ""].join(":");

function readContract(path: string): EnvironmentContract | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const parsed = EnvironmentContract.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}

/** Everything that decides what the environment's program makes: its sources and those of what it imports. */
function sources(): string {
  const files = ["base", "schema", "knowledge", "components", "stacks"].flatMap((folder) =>
    readdirSync(join(projectDir, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return digest(...files.sort().flatMap((file) => [file, readFileSync(file, "utf8")]));
}

/**
 * `pulumi up`, with a look at the cluster first. The state may be of a cluster that the lab itself has removed since (as kind's is by
 * `lab down`), and the program rightly refuses another one: what was on it is gone, so it is forgotten.
 */
async function pulumiUp(
  folder: string,
  env: Readonly<Record<string, string>>,
  clusterId: string,
  report: Report,
): Promise<EnvironmentContract> {
  const pulumi = async (args: readonly string[]): Promise<string> => {
    const all = [...args, "--stack", LAB.name, "--non-interactive"];
    const finished = await execute("pulumi", all, {
      cwd: folder,
      env,
      onOutput: (chunk) => {
        report(chunk.trim().split("\n").at(-1) ?? "");
      },
    });
    if (finished.code === 0) return finished.stdout;
    throw new UserError(
      "environment-failed",
      `'pulumi ${args.join(" ")}' failed for the lab's environment.`,
      {
        path: join(projectDir, `Pulumi.${LAB.name}.yaml`),
        exitCode: EXIT.unavailable,
        hint: `${finished.stdout}${finished.stderr}`.trim().split("\n").slice(-20).join("\n"),
      },
    );
  };
  await pulumi(["stack", "select", "--create"]);
  const { contract } = Outputs.parse(JSON.parse(await pulumi(["stack", "output", "--json"])));
  if (contract !== undefined && contract.clusterId !== clusterId) {
    await pulumi(["stack", "rm", "--force", "--yes", "--preserve-config"]);
    await pulumi(["stack", "select", "--create"]);
  }
  // Without outputs the last lines of a failure say why.
  await pulumi(["up", "--yes", "--skip-preview", "--refresh", "--suppress-outputs"]);
  return EnvironmentContract.parse(JSON.parse(await pulumi(["stack", "output", "contract", "--json"])));
}
