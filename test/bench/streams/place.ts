// Where the streams of the bench live: state, ledger and Pulumi backend of their own, on the lab that all share.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { projectDir } from "../../../base/paths.ts";
import { childEnv } from "../../../base/process.ts";
import { type LedgerRun, openLedger } from "../../../jobs/ledger/index.ts";
import { type Cluster, openCluster } from "../../../jobs/watch/index.ts";
import { readConnection } from "../../../lab/connection.ts";
import { labPaths } from "../../../lab/paths.ts";
import { labStore } from "../../../lab/store.ts";
import { isTerminal } from "../../faults/invariants.ts";
import { BUCKET, folderOf, type SpecChanges, streamSpec } from "../../flink/spec.ts";

/** How a command ended. */
export interface Finished {
  readonly code: number | null;
  readonly said: string;
  /** From its start, Node's own included. */
  readonly seconds: number;
}

export interface StreamsPlace {
  readonly cluster: Cluster;
  /** Starts a command; `onStart` gets its process id. */
  readonly mayfly: (args: readonly string[], onStart?: (pid: number) => void) => Promise<Finished>;
  /** The same; throws where it does not end with 0. */
  readonly must: (...args: readonly string[]) => Promise<Finished>;
  /** Starts a worker. @returns Its process id, and what ends it. */
  readonly worker: () => { readonly pid: number; readonly stop: () => Promise<void> };
  /** Writes a stream's spec. @returns Its path. */
  readonly stream: (name: string, changes?: SpecChanges) => Promise<string>;
  /** Writes any spec. */
  readonly file: (name: string, spec: object) => Promise<string>;
  readonly runs: () => Promise<LedgerRun[]>;
  /** Ends what lives, and removes everything of the bench. */
  readonly remove: () => Promise<void>;
}

export async function makeStreamsPlace(): Promise<StreamsPlace> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-bench-streams-"));
  const lab = readConnection(labPaths());
  const [state, backend] = [join(folder, "state"), join(folder, "pulumi")];
  for (const path of [state, backend]) await mkdir(path);
  const connection = join(folder, "connection.json");
  await writeFile(
    connection,
    JSON.stringify({ ...lab, pulumi: { ...lab.pulumi, backendUrl: pathToFileURL(backend).href } }),
  );
  const ledgerUrl = `sqlite://${join(state, "ledger.sqlite")}`;
  const env = childEnv({
    XDG_STATE_HOME: state,
    MAYFLY_CONNECTION: connection,
    MAYFLY_LEDGER: ledgerUrl,
  });
  const cluster = await openCluster(lab.kubeconfig);
  const names = new Set<string>();

  const start = (args: readonly string[]) =>
    spawn(join(projectDir, "bin", "mayfly"), args, {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });

  const mayfly: StreamsPlace["mayfly"] = async (args, onStart) => {
    const since = performance.now();
    const child = start(args);
    if (child.pid !== undefined) onStart?.(child.pid);
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
      });
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, said, seconds: (performance.now() - since) / 1000 };
  };
  const must: StreamsPlace["must"] = async (...args) => {
    const finished = await mayfly(args);
    if (finished.code === 0) return finished;
    throw new Error(
      `mayfly ${args.join(" ")} ended with ${finished.code ?? "none"}: ${finished.said.slice(-2000)}`,
    );
  };
  const runs = async (): Promise<LedgerRun[]> => {
    const ledger = await openLedger(ledgerUrl);
    try {
      return await Promise.all((await ledger.list()).map(async ({ run }) => await ledger.get(run)));
    } finally {
      await ledger.close();
    }
  };
  const file: StreamsPlace["file"] = async (name, spec) => {
    const path = join(folder, `${name}.yaml`);
    await writeFile(path, stringify(spec));
    return path;
  };
  return {
    ...{ cluster, mayfly, must, runs, file },
    worker: () => {
      const child = start(["work", "--json"]);
      child.stdout.resume();
      child.stderr.resume();
      const ended = new Promise((resolve) => child.once("close", resolve));
      return {
        pid: child.pid ?? 0,
        stop: async () => {
          child.kill("SIGTERM");
          const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
          await ended;
          clearTimeout(timer);
        },
      };
    },
    stream: async (name, changes = {}) => {
      names.add(name);
      return await file(name, streamSpec(name, changes));
    },
    remove: async () => {
      const live = (await runs()).filter((run) => !isTerminal(run));
      for (const { run } of live) await mayfly(["cancel", run, "--discard-state"]);
      if (live.length > 0) await mayfly(["work", "--drain"]);
      const store = await labStore();
      for (const name of names) await store.clear(BUCKET, folderOf(name));
      cluster.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
