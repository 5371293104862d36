import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import { policyLines, previewCommand } from "../../../jobs/cli/commands/preview.ts";
import { runCommand } from "../../../jobs/cli/commands/run.ts";
import { EngineFailure, type PolicyViolation, startEngine } from "../../../jobs/engine/index.ts";
import { runForeground } from "../../../jobs/run/foreground.ts";
import { previewPlan } from "../../../jobs/run/preview.ts";

import { samplePlans } from "../../harness/samples.ts";
import { wordcount } from "../plan/sample.ts";
import { connection, fakeTools } from "../run/fakes.ts";

const { pi: plan } = samplePlans();

const violation: PolicyViolation = {
  mandatory: true,
  policy: "images-by-digest",
  message: "Name images by digest.\nspec.image is acme/spark:4.0.1",
  resource: { kind: "kubernetes:batch/v1:Job", name: "spark-coordinator-job" },
};
const refusal = { kind: "policy", message: "Rule images-by-digest: …", violations: [violation] } as const;

describe("the command line that Pulumi gets", () => {
  let folder = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "mayfly-policy-"));
    await mkdir(join(folder, "bin"));
    // In the place of Pulumi: notes how it was called.
    const pulumi = join(folder, "bin", "pulumi");
    await writeFile(pulumi, `#!/bin/sh\nprintf '%s\\n' "$*" >>'${join(folder, "calls")}'\n`);
    await chmod(pulumi, 0o755);
    vi.stubEnv("XDG_STATE_HOME", folder);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  const callOf = async (command: string): Promise<string> =>
    (await readFile(join(folder, "calls"), "utf8")).split("\n").find((call) => call.startsWith(command)) ??
    "";

  test.each([
    { operation: "preview", policy: true },
    { operation: "preview", policy: undefined },
    { operation: "up", policy: true },
    { operation: "up", policy: undefined },
  ] as const)("$operation with policy $policy", async ({ operation, policy }) => {
    const engine = startEngine({ ...connection, path: [join(folder, "bin")] });
    try {
      await engine[operation](plan, { policy });
    } finally {
      await engine.close();
    }
    const call = await callOf(operation);
    expect(call).toContain(`--stack ${plan.stack}`);
    const pack = `--policy-pack ${join(projectDir, "policy", "run")}`;
    expect(call.includes(pack)).toBe(policy === true);
    expect(call.includes("--policy-pack")).toBe(policy === true);
  });
});

describe("a job's preview", () => {
  const engine = (failure: EngineFailure | undefined, violations: readonly PolicyViolation[]) => {
    const asked: (boolean | undefined)[] = [];
    const preview = async (
      _plan: unknown,
      options: Parameters<ReturnType<typeof startEngine>["preview"]>[1],
    ) => {
      asked.push(options?.policy);
      options?.onEvent?.({
        type: "started",
        kind: "kubernetes:batch/v1:Job",
        name: "job",
        operation: "create",
      });
      for (const one of violations) options?.onEvent?.({ type: "policy", ...one });
      await Promise.resolve();
      if (failure !== undefined) throw failure;
    };
    return { asked, preview };
  };
  const resources = [{ operation: "create", kind: "kubernetes:batch/v1:Job", name: "job" }];

  test("asks the policy pack where nothing else is said, and shows that all is well", async () => {
    const calm = engine(undefined, []);
    expect(await previewPlan(calm, plan, {})).toEqual({ resources, policy: { passed: true, breaches: [] } });
    expect(calm.asked).toEqual([true]);
  });

  test("shows what it saw although the engine refuses it", async () => {
    const refused = engine(new EngineFailure(refusal), [violation]);
    const { policy: rule, mandatory, resource, message } = violation;
    expect(await previewPlan(refused, plan, {})).toEqual({
      resources,
      policy: { passed: false, breaches: [{ rule, mandatory, resource, message }] },
    });
  });

  test("passes where only advice is not followed", async () => {
    const advised = engine(undefined, [{ ...violation, mandatory: false }]);
    expect((await previewPlan(advised, plan, {})).policy?.passed).toBe(true);
  });

  test("leaves the pack out when told so", async () => {
    const alone = engine(undefined, []);
    expect((await previewPlan(alone, plan, { policy: false })).policy).toBeUndefined();
    expect(alone.asked).toEqual([false]);
  });

  test("fails by everything else that goes wrong", async () => {
    const failure = new EngineFailure({ kind: "unreachable", message: "no route" });
    await expect(previewPlan(engine(failure, []), plan, {})).rejects.toBe(failure);
  });

  test("prints rule, object and reason", () => {
    const { policy: rule, mandatory, resource, message } = violation;
    const lines = policyLines({
      passed: false,
      breaches: [
        { rule, mandatory, resource, message },
        { rule: "autoscaler-tags", mandatory: false, resource: undefined, message: "Tag the group." },
      ],
    });
    expect(lines).toEqual([
      "policy images-by-digest: spark-coordinator-job (kubernetes:batch/v1:Job)",
      "  Name images by digest.",
      "  spec.image is acme/spark:4.0.1",
      "policy autoscaler-tags: the cluster as a whole",
      "  Tag the group.",
    ]);
    expect(policyLines({ passed: true, breaches: [] })).toEqual(["Policy: every rule is kept."]);
    expect(policyLines(undefined)).toEqual(["Policy: not asked (--no-policy)."]);
  });
});

describe("a run", () => {
  const runWith = async (policy: boolean | undefined) => {
    const tools = fakeTools({ verdicts: [{ kind: "succeeded" }] });
    const asked: (boolean | undefined)[] = [];
    const up: typeof tools.engine.up = async (what, options) => {
      asked.push(options?.policy);
      await tools.engine.up(what, options);
    };
    await runForeground(
      wordcount(),
      { ...tools, engine: { ...tools.engine, up } },
      { submittedAt: new Date(), policy },
    );
    return asked;
  };

  test("asks the policy pack only when told so", async () => {
    expect(await runWith(true)).toEqual([true]);
    expect(await runWith(undefined)).toEqual([false]);
  });

  test("ends as refused by policy, and leaves nothing", async () => {
    const tools = fakeTools({ up: refusal });
    const report = await runForeground(wordcount(), tools, {
      submittedAt: new Date(),
      policy: true,
    });
    expect(report.outcome).toEqual({ kind: "refused", by: "policy", message: refusal.message });
    expect(tools.calls.some((call) => call.startsWith("destroy"))).toBe(true);
  });
});

describe("the options", () => {
  test("preview asks unless --no-policy is given, run only with --policy", () => {
    const parsed = (command: { opts: () => Record<string, unknown> }) => command.opts()["policy"];
    expect(parsed(previewCommand())).toBe(true);
    expect(
      parsed(
        previewCommand()
          .action(() => undefined)
          .parse(["--no-policy", "job.yaml"], { from: "user" }),
      ),
    ).toBe(false);
    expect(parsed(runCommand())).toBeUndefined();
    expect(
      parsed(
        runCommand()
          .action(() => undefined)
          .parse(["--policy", "job.yaml"], { from: "user" }),
      ),
    ).toBe(true);
  });

  test("the help says what they cost and how they end", () => {
    expect(runCommand().helpInformation().replaceAll(/\s+/g, " ")).toContain(
      "off by default, since it takes about a second",
    );
    expect(previewCommand().helpInformation()).toContain("--no-policy");
  });
});
