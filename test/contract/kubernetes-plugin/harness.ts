// Boundary: the Automation API hands deployments and events over untyped.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import {
  type EngineEvent,
  LocalWorkspace,
  PulumiCommand,
  type PulumiFn,
  type Stack,
  type StackSettings,
} from "@pulumi/pulumi/automation/index.js";
import { onTestFinished } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import type { JsonRecord } from "../../../lab/kubernetes-plugin/json.ts";
import { provideTools } from "../../../lab/tools/index.ts";
import { KUBECONFIG, PREFIX } from "./api.ts";

/** The folder of the plugin that is tested: Mayfly's stand-in, or the official one. */
export const PLUGIN_FOLDER =
  process.env["MAYFLY_KUBERNETES_PLUGIN"] ?? join(projectDir, "lab", "kubernetes-plugin");
export const IS_STAND_IN = PLUGIN_FOLDER.startsWith(projectDir);

/** What an operation did. */
export interface Report {
  /** How many resources saw each kind of operation, such as `{ create: 2, same: 1 }`. */
  readonly changes: Readonly<Record<string, number>>;
  /** `operation type` in the order in which they began, apart from the stack and providers. */
  readonly steps: readonly string[];
  /** Everything that was said, without colours. */
  readonly diagnostics: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** A resource as the state has it. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs: JsonRecord;
  readonly outputs: JsonRecord;
  readonly initErrors?: readonly string[];
}

/** A stack with a state of its own. Each operation rejects where it fails, with all that was said. */
export interface TestStack {
  up: (program: PulumiFn, signal?: AbortSignal) => Promise<Report>;
  preview: (program: PulumiFn) => Promise<Report>;
  refresh: () => Promise<Report>;
  destroy: () => Promise<Report>;
  /** The resources of the state that are Kubernetes objects. */
  objects: () => Promise<readonly StateResource[]>;
  /** The state as it lies on the disk. */
  stateText: () => Promise<string>;
}

/** What the engine only says to itself; its type does not list it. */
const HIDDEN = new Set<string>(["debug"]);

const plain = (text: string): string => text.replaceAll(/<\{%[^%]*%\}>/g, "");

function collect(): {
  onEvent: (event: EngineEvent) => void;
  report: (outputs: Report["outputs"]) => Report;
} {
  const steps: string[] = [];
  const lines: string[] = [];
  const changes: Record<string, number> = {};
  return {
    onEvent: (event) => {
      const step = event.resourcePreEvent?.metadata;
      if (step !== undefined && step.type.startsWith("kubernetes:")) {
        steps.push(`${step.op} ${step.type}`);
        changes[step.op] = (changes[step.op] ?? 0) + 1;
      }
      const diagnostic = event.diagnosticEvent;
      if (diagnostic !== undefined && diagnostic.ephemeral !== true && !HIDDEN.has(diagnostic.severity))
        lines.push(`${diagnostic.severity}: ${plain(diagnostic.message).trim()}`);
    },
    report: (outputs) => ({ changes, steps, diagnostics: lines.join("\n"), outputs }),
  };
}

let command: Promise<PulumiCommand> | undefined;
async function pulumiCommand(): Promise<PulumiCommand> {
  const given = process.env["MAYFLY_PULUMI"];
  const bin = given ?? (await provideTools(["pulumi"])).pulumi.bin;
  return await PulumiCommand.get({ root: join(bin, "..") });
}

/** @param env Variables for the engine and the plugin. */
export async function openStack(
  env: Readonly<Record<string, string>> = {},
  config: NonNullable<StackSettings["config"]> = {},
): Promise<TestStack> {
  command ??= pulumiCommand();
  const pulumi = await command;
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}-`));
  const stackName = "test";
  const stack: Stack = await LocalWorkspace.createStack(
    { stackName, projectName: PREFIX, program: () => Promise.resolve() },
    {
      workDir: folder,
      pulumiHome: join(folder, "home"),
      pulumiCommand: pulumi,
      stackSettings: { [stackName]: { config } },
      envVars: {
        KUBECONFIG,
        PATH: [
          PLUGIN_FOLDER,
          join(projectDir, "node_modules", "node", "bin"),
          process.env["PATH"] ?? "",
        ].join(delimiter),
        PULUMI_BACKEND_URL: `file://${folder}?metadata=skip`,
        PULUMI_CONFIG_PASSPHRASE: "contract",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        ...env,
      },
    },
  );
  const run = async (
    operation: (onEvent: (event: EngineEvent) => void) => Promise<Report["outputs"]>,
  ): Promise<Report> => {
    const { onEvent, report } = collect();
    try {
      return report(await operation(onEvent));
    } catch (error) {
      const said = report({}).diagnostics;
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${said}\n${message}`, { cause: error });
    }
  };
  const destroy = (): Promise<Report> =>
    run(async (onEvent) => {
      await stack.destroy({ onEvent });
      return {};
    });
  onTestFinished(async () => {
    await destroy().catch(() => {
      // The test has said what went wrong; its namespace goes in any case.
    });
    await rm(folder, { recursive: true, force: true });
  });
  const exported = async (): Promise<{ resources?: readonly StateResource[] }> =>
    (await stack.exportStack()).deployment as { resources?: readonly StateResource[] };
  return {
    up: (program, signal) =>
      run(async (onEvent) => {
        const { outputs } = await stack.up({ program, onEvent, ...(signal === undefined ? {} : { signal }) });
        return Object.fromEntries(
          Object.entries(outputs).map(([name, { value }]) => [name, value as unknown]),
        );
      }),
    preview: (program) =>
      run(async (onEvent) => {
        await stack.preview({ program, onEvent });
        return {};
      }),
    refresh: () =>
      run(async (onEvent) => {
        await stack.refresh({ onEvent });
        return {};
      }),
    destroy,
    objects: async () =>
      ((await exported()).resources ?? []).filter(({ type }) => type.startsWith("kubernetes:")),
    // Not `exportStack`: it decrypts.
    stateText: () => readFile(join(folder, ".pulumi", "stacks", PREFIX, `${stackName}.json`), "utf8"),
  };
}

/** The time a promise takes, in milliseconds, and what it gives. */
export async function timed<T>(work: Promise<T>): Promise<readonly [number, T]> {
  const started = performance.now();
  const value = await work;
  return [performance.now() - started, value];
}

export { kubernetes };
