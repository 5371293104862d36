import { dirname } from "node:path";
import { expect, test } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { execute } from "../../base/process.ts";
import { type TestEnvironment, testEnvironment } from "./environment-project.ts";

/** `npm run drift`, in the folder of a test's project. */
async function drift({
  env,
  folder,
  stack,
}: TestEnvironment): Promise<{ code: number | null; stdout: string }> {
  const script = `
    const { findDrift } = await import(${JSON.stringify(`${projectDir}/review/drift-run.ts`)});
    const { renderDrift } = await import(${JSON.stringify(`${projectDir}/review/drift.ts`)});
    process.stdout.write(renderDrift(await findDrift({ projectDir: ${JSON.stringify(folder)}, stack: ${JSON.stringify(stack.name)} })));
  `;
  const finished = await execute(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: dirname(folder),
    env,
  });
  if (finished.code !== 0) throw new Error(finished.stderr);
  return finished;
}

test("a label of a tenant's namespace that somebody changed by kubectl is the one drift that is reported, until it is taken back", async () => {
  const life = await testEnvironment();
  const { stack, tenant, kubectl, node } = life;
  await stack.up({ color: "never" });
  expect((await drift(life)).stdout).toContain(`No drift: 10 objects of ${stack.name}`);

  const namespace = `tenant-${tenant}`;
  await kubectl("label", "namespace", namespace, "--overwrite", "mayfly.dev/class=production", "team=red");
  // Nobody's business: what the program doesn't set, as what helpers note there, and nodes that it only reads.
  await kubectl("annotate", "namespace", namespace, "fence.mayfly.dev/nightly-orders=2 2026-11-24T06:00:00Z");
  await kubectl("label", "node", node, "acme.com/rack=7");
  expect((await drift(life)).stdout.split("\n")).toEqual([
    `Drift of ${stack.name}: 1 of 10 objects changed outside of Pulumi.`,
    "",
    `  kubernetes.core.v1.Namespace tenant-${tenant}-namespace (${namespace})`,
    '    metadata.labels["mayfly.dev/class"]: lab -> production',
    "",
    `To take it back: PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up -s ${stack.name} --refresh`,
    "To keep it: change the config or the program to say the same.",
  ]);

  // Without force an update stops there and says whose the field is now.
  await expect(stack.up({ color: "never", refresh: true })).rejects.toThrow(/conflict with "kubectl-label"/);
  stack.workspace.envVars["PULUMI_K8S_ENABLE_PATCH_FORCE"] = "true";
  await stack.up({ color: "never", refresh: true });
  expect((await drift(life)).stdout).toMatch(/^No drift/);
  expect(await kubectl("get", "namespace", namespace, "--output=jsonpath={.metadata.labels.team}")).toBe(
    "red",
  );

  await kubectl("delete", "networkpolicy", "deny-all", "--namespace", namespace);
  expect((await drift(life)).stdout).toContain(
    `kubernetes.networking.v1.NetworkPolicy tenant-${tenant}-deny-all (${namespace}/deny-all) is gone`,
  );
  await stack.up({ color: "never", refresh: true });
  expect((await drift(life)).stdout).toMatch(/^No drift/);
  await stack.destroy({ color: "never" });
});
