import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { childEnv } from "../../base/process.ts";
import { openSimulation } from "../../simulation/engine.ts";
import { writeProject } from "./simulation-project.ts";

const provider = `
import * as aws from "@pulumi/aws";
import * as eks from "@pulumi/eks";
const provider = new aws.Provider("aws", { region: "eu-central-1" });
`;

const errors = (diagnostics: readonly { severity: string; message: string }[]): string =>
  diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ message }) => message)
    .join("\n");

test("a type that nobody modelled is echoed and named, so that nobody takes it for modelled", async () => {
  await using project = await writeProject(
    "acme",
    `${provider} new aws.sns.Topic("alerts", { displayName: "Acme", tags: { team: "data" } }, { provider });`,
  );
  await using simulation = await openSimulation({ projectDir: project.folder, stack: "prod" });
  const { steps, unmodelled, succeeded } = await simulation.up();
  expect(succeeded).toBe(true);
  expect(unmodelled).toEqual(["aws:sns/topic:Topic"]);
  expect(steps.find(({ name }) => name === "alerts")?.outputs).toMatchObject({
    displayName: "Acme",
    tags: { team: "data" },
  });
});

test("what of eks.Cluster is not modelled is refused with the setting that avoids it", async () => {
  await using project = await writeProject(
    "acme",
    `${provider} new eks.Cluster("acme", { vpcId: "vpc-1" }, { providers: { aws: provider, eks: new eks.Provider("eks") } });`,
  );
  await using simulation = await openSimulation({ projectDir: project.folder, stack: "prod" });
  const { succeeded, diagnostics } = await simulation.preview();
  expect(succeeded).toBe(false);
  expect(errors(diagnostics)).toContain(
    "the default node group of eks.Cluster acme is not simulated; set skipDefaultNodeGroup: true",
  );
});

test("a look-up in AWS that is not simulated is refused instead of invented", async () => {
  await using project = await writeProject(
    "acme",
    `${provider} await aws.rds.getInstance({ dbInstanceIdentifier: "orders" }, { provider });`,
  );
  await using simulation = await openSimulation({ projectDir: project.folder, stack: "prod" });
  const { diagnostics } = await simulation.preview();
  expect(errors(diagnostics)).toContain("aws:rds/getInstance:getInstance is not simulated");
});

test("a folder without a project, an encrypted config value and cloud credentials are refused", async () => {
  await using project = await writeProject("acme", provider);
  const { folder } = project;
  const open = async (more: object): Promise<unknown> => {
    await using simulation = await openSimulation({ projectDir: folder, stack: "prod", ...more });
    return simulation;
  };
  await expect(open({ projectDir: join(folder, "program") })).rejects.toMatchObject({
    code: "simulation-project",
  });
  const text = "config:\n  acme:password:\n    secure: v1:abc\n";
  await expect(open({ config: { text } })).rejects.toMatchObject({ code: "simulation-secret" });
  await expect(open({ config: { file: join(folder, "Pulumi.none.yaml") } })).rejects.toMatchObject({
    code: "simulation-config",
  });
  await expect(open({ env: { AWS_SECRET_ACCESS_KEY: "x" } })).rejects.toMatchObject({
    code: "simulation-credentials",
  });
});

test("two simulations at once, and two of one project, do not see each other", async () => {
  await using project = await writeProject(
    "acme",
    `${provider} new aws.s3.Bucket("logs", { bucket: "acme-logs" }, { provider });`,
  );
  await using one = await openSimulation({ projectDir: project.folder, stack: "prod" });
  await using two = await openSimulation({ projectDir: project.folder, stack: "prod" });
  const [up] = await Promise.all([one.up(), two.preview()]);
  expect(up.succeeded).toBe(true);
  expect(await one.resources()).toHaveLength(3);
  expect(await two.resources()).toEqual([]);
});

test("Ctrl-C ends the engine, and leaves nothing behind", async () => {
  await using project = await writeProject(
    "acme",
    `${provider} await new Promise((done) => setTimeout(done, 60_000));`,
  );
  const folder = await mkdtemp(join(tmpdir(), "mayfly-test-interrupt-"));
  await mkdir(join(folder, "tmp"));
  try {
    const code = `
      import { openSimulation } from ${JSON.stringify(join(projectDir, "simulation", "engine.ts"))};
      const simulation = await openSimulation({ projectDir: ${JSON.stringify(project.folder)}, stack: "prod" });
      await simulation.preview({ onStep: () => process.stdout.write("working\\n") });
    `;
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", code],
      {
        env: childEnv({ TMPDIR: join(folder, "tmp") }),
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    await once(child.stdout, "data");
    child.kill("SIGINT");
    await once(child, "exit");
    expect(child.signalCode).toBe("SIGINT");
    expect(await readdir(join(folder, "tmp"))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
