// Boundary: the Automation API hands deployments and events over untyped.
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as kubernetes from "@pulumi/kubernetes";
import {
  type EngineEvent,
  LocalWorkspace,
  type PulumiFn,
  PulumiCommand,
  type Stack,
  type StackSettings,
} from "@pulumi/pulumi/automation/index.js";
import { onTestFinished } from "vitest";
import { projectDir, stateDir } from "../../../base/paths.ts";
import { connect } from "../../../lab/kubernetes-plugin/connection.ts";
import { createHttp, type Http } from "../../../lab/kubernetes-plugin/http.ts";
import { type Json, type JsonRecord, isRecord, listAt, textAt } from "../../../lab/kubernetes-plugin/json.ts";
import { provideTools } from "../../../lab/tools/index.ts";

/** The folder of the plugin that is tested: Mayfly's stand-in, or the official one. */
export const PLUGIN_FOLDER =
  process.env["MAYFLY_KUBERNETES_PLUGIN"] ?? join(projectDir, "lab", "kubernetes-plugin");
export const IS_STAND_IN = PLUGIN_FOLDER.startsWith(projectDir);
export const KUBECONFIG = process.env["KUBECONFIG"] ?? join(stateDir(), "lab", "kubeconfig");

/** The first step of anything a test makes, so that left-overs can be told and deleted. */
const PREFIX = "plugin-contract";

let http: Promise<Http> | undefined;
const api = (): Promise<Http> => {
  http ??= connect(KUBECONFIG, {}).then((connection) => createHttp(connection));
  return http;
};

/** The server's answer to a GET; undefined where there is nothing. */
export async function get(path: string): Promise<JsonRecord | undefined> {
  const { body } = await (await api()).call({ method: "GET", path }).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === 404) return { body: undefined };
    throw error;
  });
  return isRecord(body) ? body : undefined;
}

/** Creates an object as some other tool would. */
export async function post(path: string, body: Json): Promise<void> {
  await (await api()).call({ method: "POST", path, body, query: { fieldManager: "somebody-else" } });
}

/** Changes an object as some other tool would. */
export async function mergePatch(path: string, body: Json): Promise<void> {
  await (await api()).call({
    method: "PATCH",
    path,
    body,
    contentType: "application/merge-patch+json",
    query: { fieldManager: "somebody-else" },
  });
}

/** Owns fields of an object by server-side apply, as some other tool would. */
export async function applyAs(manager: string, path: string, body: Json): Promise<void> {
  await (await api()).call({
    method: "PATCH",
    path,
    body,
    contentType: "application/apply-patch+yaml",
    query: { fieldManager: manager, force: "true" },
  });
}

export async function remove(path: string): Promise<void> {
  await (await api())
    .call({ method: "DELETE", path, query: { propagationPolicy: "Background" } })
    .catch(() => {
      // Clean-up of what may be gone already.
    });
}

/** A namespace of the test's own; deleted, without waiting, when the test is over. */
export async function namespace(): Promise<string> {
  const name = `${PREFIX}-${randomBytes(4).toString("hex")}`;
  await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  onTestFinished(async () => {
    await remove(`/api/v1/namespaces/${name}`);
  });
  return name;
}

/** Tries `probe` every 50 ms until it gives something. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  for (let left = 400; left > 0; left--) {
    const found = await probe();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error(`did not happen within 20 s: ${what}`);
}

/**
 * Does a kubelet's work by hand: gives each pod of a namespace the status that `status` returns for it, so that the
 * suite needs neither images nor a node. Pods of the tests name a scheduler that doesn't exist.
 */
export async function setPodStatuses(
  namespaceName: string,
  count: number,
  status: JsonRecord,
): Promise<void> {
  const pods = await eventually(`${count} pods in ${namespaceName}`, async () => {
    const list = listAt(await get(`/api/v1/namespaces/${namespaceName}/pods`), "items");
    return list.length >= count ? list : undefined;
  });
  for (const pod of pods)
    await mergePatch(
      `/api/v1/namespaces/${namespaceName}/pods/${textAt(pod, "metadata", "name") ?? ""}/status`,
      { status },
    );
}

const condition = (type: string, status: string): Json => ({
  type,
  status,
  lastTransitionTime: "2026-01-01T00:00:00Z",
});

export const RUNNING: JsonRecord = {
  phase: "Running",
  conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) =>
    condition(type, "True"),
  ),
};
export const SUCCEEDED: JsonRecord = { phase: "Succeeded", conditions: [condition("PodScheduled", "True")] };
export const FAILED: JsonRecord = { phase: "Failed", conditions: [condition("PodScheduled", "True")] };

export const CONTAINER = { name: "main", image: "registry.example/nothing:1" };

/** A pod that nobody schedules or runs. */
export const POD = {
  schedulerName: "nobody",
  terminationGracePeriodSeconds: 0,
  containers: [CONTAINER],
};

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
      if (
        diagnostic !== undefined &&
        diagnostic.ephemeral !== true &&
        String(diagnostic.severity) !== "debug"
      )
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
        PULUMI_BACKEND_URL: `file://${folder}`,
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
