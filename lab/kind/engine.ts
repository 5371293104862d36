import { join } from "node:path";
import { EXIT, UserError } from "../../base/errors.ts";
import { cacheDir } from "../../base/paths.ts";
import { childEnv, execute } from "../../base/process.ts";
import { findProgram } from "../host/requirements.ts";
import { run } from "../host/run.ts";
import type { Supervision } from "../host/supervise.ts";
import type { LabPaths } from "../paths.ts";
import { LAB } from "../settings.ts";
import {
  gatewayFormat,
  gatewayOf,
  KIND_VERSION,
  NODE_CONTAINER,
  type NodeState,
  nodeStateOf,
} from "./config.ts";

export type Engine = "docker" | "podman";

/** Which engine kind is to use; it takes Docker unless told. */
export const kindEnv = (engine: Engine): Record<string, string> =>
  childEnv({
    KIND_EXPERIMENTAL_PROVIDER: engine,
    ...(process.env["DOCKER_HOST"] === undefined ? {} : { DOCKER_HOST: process.env["DOCKER_HOST"] }),
  });

/**
 * The kind program: the user's own, or one installed by Go into the cache, as kind's own guide does it.
 * @throws UserError `kind-missing` where neither is possible.
 */
export async function provideKind(): Promise<string> {
  const own = findProgram("kind");
  if (own !== undefined) return own;
  const folder = join(cacheDir(), "tools", `kind-${KIND_VERSION}`);
  const built = join(folder, "kind");
  if (await canRun(built)) return built;
  const go = findProgram("go");
  if (go === undefined) {
    throw new UserError("kind-missing", "Docker or Podman runs, but the program kind is missing.", {
      exitCode: EXIT.unavailable,
      hint: `Install it (https://kind.sigs.k8s.io/docs/user/quick-start), or Go so that Mayfly installs it, then try again.`,
    });
  }
  await run(go, ["install", `sigs.k8s.io/kind@${KIND_VERSION}`], {
    env: childEnv({ GOBIN: folder, CGO_ENABLED: "0" }),
  });
  return built;
}

async function canRun(program: string): Promise<boolean> {
  try {
    return (await execute(program, ["version"])).code === 0;
  } catch {
    return false;
  }
}

export async function nodeState(engine: Engine): Promise<NodeState> {
  const { code, stdout } = await execute(engine, [
    "inspect",
    "--format",
    "{{.State.Running}}",
    NODE_CONTAINER,
  ]);
  return nodeStateOf(code, stdout);
}

/** kubectl as the administrator inside the node, so that the host needs none. */
export async function kubectl(engine: Engine, ...args: string[]): Promise<string> {
  return await run(engine, [
    ...["exec", NODE_CONTAINER, "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"],
    ...args,
  ]);
}

/** The address at which pods reach this host. @throws UserError `kind-no-gateway`. */
export async function hostAddress(engine: Engine): Promise<string> {
  const address = gatewayOf(
    await run(engine, ["network", "inspect", "kind", "--format", gatewayFormat(engine)]),
  );
  if (address !== undefined) return address;
  throw new UserError("kind-no-gateway", `The network 'kind' of ${engine} has no IPv4 gateway.`, {
    exitCode: EXIT.unavailable,
    hint: `Run '${engine} network rm kind' while no kind cluster is there, then 'npx mayfly lab up'.`,
  });
}

export const s3Endpoint = (address: string): string => `http://${address}:${LAB.ports.s3}`;

/** With kind the S3 server is the only process of the lab; it needs no root, so its record lies with the state. */
export const kindSupervision = (paths: LabPaths): Supervision => ({
  recordsDir: join(paths.root, "units"),
  logsDir: paths.logs,
  cgroup: LAB.cgroup,
});
