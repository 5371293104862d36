import { UserError } from "../../../base/errors.ts";
import {
  type EngineError,
  type EngineEvent,
  EngineFailure,
  type ProcessEngine,
} from "../../../jobs/engine/index.ts";
import type { FlinkRest } from "../../../jobs/flink/index.ts";
import { LeaseLost } from "../../../jobs/lease/index.ts";
import type { LedgerRun, RunPatch, Savepoint, Submission } from "../../../jobs/ledger/index.ts";
import type { RunCluster } from "../../../jobs/run/cluster.ts";
import type { Environment } from "../../../jobs/run/environment.ts";
import type { ForegroundTools } from "../../../jobs/run/foreground.ts";
import type { ObjectStore, StoredObject } from "../../../jobs/store/index.ts";
import type { ContainerLog, WatchResult } from "../../../jobs/watch/index.ts";
import { nothingObserved } from "../../../jobs/watch/reduce.ts";
import type { HeldLease } from "../../../jobs/work/types.ts";
import type { Connection } from "../../../schema/connection.ts";
import type { EnvironmentContract } from "../../../schema/contract.ts";
import type { RunEvent } from "../../../schema/events.ts";
import type { Outcome } from "../../../schema/outcome.ts";
import type { Plan } from "../../../schema/plan.ts";
import { environment } from "../plan/sample.ts";

export const connection: Connection = {
  apiVersion: "mayfly.dev/connection/v1",
  name: "lab",
  kubeconfig: "/srv/lab/kubeconfig",
  contract: "/srv/lab/contract.json",
  path: ["/opt/pulumi/bin", "/opt/kubernetes/bin"],
  pulumi: {
    home: "/srv/pulumi-home",
    backendUrl: "file:///srv/pulumi",
    passphraseFile: "/srv/passphrase",
    kubernetesPlugin: "stand-in",
  },
  s3: {
    endpoint: "http://10.244.0.1:7070",
    region: "us-east-1",
    pathStyle: true,
    credentialsFile: "/srv/credentials",
    profile: "mayfly",
  },
};

export const environmentOf = (contract: EnvironmentContract): Environment => ({
  path: "/srv/lab/connection.json",
  connection,
  contract,
});

/** Waits for an abort, as a watch or an engine at work does. */
export const untilAborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener("abort", () => {
      resolve();
    });
  });

/** How the outside of a run behaves; everything is well where nothing is said. */
export interface Scenario {
  /** The verdict of the watch, attempt by attempt; it never comes where there is none. */
  readonly verdicts?: readonly Outcome[];
  /** Of a watch that begins under the so-manieth lease. */
  readonly verdictsOfLeases?: Readonly<Record<number, Outcome>>;
  readonly up?: EngineError | "hangs";
  readonly create?: EngineError;
  /** What destroy says, call by call; then it succeeds. */
  readonly destroy?: readonly EngineError[];
  /** Failures of forgetting a stack, one per try; then it succeeds. */
  readonly forget?: readonly EngineError[];
  readonly check?: Error;
  readonly missing?: readonly string[];
  readonly secrets?: Error;
  /** `held`: by another helper; `hangs`: the API server does not answer. */
  readonly lease?: "held" | "hangs";
  /** The so-manieth time that somebody asks whether the lease is ours, it is not any more. */
  readonly guardFailsAt?: number;
  /** The lease's object was gone though the run had one. */
  readonly remade?: boolean;
  /** The ledger can't be written from the so-manieth update on. */
  readonly ledgerFailsAt?: number;
  /** What is wrong with the fence. */
  readonly fence?: Error;
  /** `replaced`: somebody else has one of that name by the time it is removed. */
  readonly namespace?: "foreign" | "replaced";
  readonly leftovers?: readonly string[];
  /** A stream's REST, and what S3 has of its state; it is away where that says so. */
  readonly flink?: { readonly rest: FlinkRest; readonly objects: readonly StoredObject[] };
  /** Called when the engine has made the namespace. */
  readonly onMade?: () => void;
}

/** A whole outside for a run, and all that was done to it, in order. */
export interface FakeTools extends ForegroundTools {
  readonly calls: string[];
  readonly events: RunEvent[];
  readonly onEvent: (event: RunEvent) => void;
  /** The ledger's rows. */
  readonly stored: Map<string, LedgerRun>;
  /** Events that went to the ledger. */
  readonly recorded: RunEvent[];
  /** The leases that were taken, in order. */
  readonly leases: FakeLease[];
}

export interface FakeLease extends HeldLease {
  readonly lose: () => void;
}

export function fakeTools(scenario: Scenario = {}): FakeTools {
  const calls: string[] = [];
  const events: RunEvent[] = [];
  const stored = new Map<string, LedgerRun>();
  const recorded: RunEvent[] = [];
  const leases: FakeLease[] = [];
  return {
    calls,
    events,
    stored,
    recorded,
    leases,
    onEvent: (event) => events.push(event),
    environment: environmentOf(environment()),
    engine: fakeEngine(scenario, calls),
    cluster: fakeCluster(scenario, calls),
    store: fakeStore(scenario, calls),
    ledger: fakeLedger(scenario, stored, recorded, calls),
    raiseFence: async (_plan, fence) => {
      calls.push(`fence ${fence}`);
      await Promise.resolve();
    },
    acquire: async ({ knownFence, signal, onWaiting }) => {
      await Promise.resolve();
      if (scenario.lease === "held") {
        onWaiting("helper-2/43/9");
        throw new UserError("lease-held", "Run is worked on by helper-2.");
      }
      if (scenario.lease === "hangs") {
        await untilAborted(signal);
        throw new UserError("lease-held", "The API server gave no answer.");
      }
      calls.push(`lease ${knownFence + 1}`);
      const lease = fakeLease(knownFence + 1, calls, scenario);
      leases.push(lease);
      return lease;
    },
  };
}

function fakeLease(fence: number, calls: string[], scenario: Scenario): FakeLease {
  const { guardFailsAt = 0, remade = false } = scenario;
  const lost = new AbortController();
  let guards = 0;
  return {
    fence,
    holder: `helper-1/42/abc${fence}`,
    remade,
    lost: lost.signal,
    guard: async () => {
      await Promise.resolve();
      if (++guards === guardFailsAt) {
        // What was let through at the same moment goes first.
        await new Promise((resolve) => setImmediate(resolve));
        calls.push("lease lost");
        lost.abort(new LeaseLost("wordcount-11240600-aaaaa", "taken"));
      }
      lost.signal.throwIfAborted();
    },
    release: async (options) => {
      calls.push(options?.remove === true ? "lease removed" : "lease given back");
      return await Promise.resolve("released");
    },
    lose: () => {
      lost.abort(new Error("the lease is lost"));
    },
  };
}

function stopIf(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new EngineFailure({ kind: "cancelled", message: "stopped" });
}

const event = (type: "done", kind: string, name: string, operation: string): EngineEvent => ({
  type,
  kind,
  name,
  operation,
});

function fakeEngine(scenario: Scenario, calls: string[]): ProcessEngine {
  const destroys = [...(scenario.destroy ?? [])];
  const forgets = [...(scenario.forget ?? [])];
  return {
    rest: () => undefined,
    wake: () => undefined,
    create: async ({ stack }) => {
      calls.push(`create ${stack}`);
      await Promise.resolve();
      if (scenario.create !== undefined) throw new EngineFailure(scenario.create);
    },
    up: async ({ stack }, { signal, onEvent } = {}) => {
      calls.push(`up ${stack}`);
      await Promise.resolve();
      stopIf(signal);
      if (scenario.up !== undefined && scenario.up !== "hangs") throw new EngineFailure(scenario.up);
      onEvent?.(event("done", "kubernetes:core/v1:Namespace", "spark-run-namespace", "create"));
      scenario.onMade?.();
      if (scenario.up === "hangs") await untilAborted(signal);
      stopIf(signal);
      onEvent?.({ type: "summary", seconds: 1, changes: { create: 17 } });
    },
    preview: async () => {
      await Promise.resolve();
    },
    destroy: async (stack, { onEvent } = {}) => {
      calls.push(`destroy ${stack}`);
      await Promise.resolve();
      const failure = destroys.shift();
      if (failure !== undefined) throw new EngineFailure(failure);
      onEvent?.(event("done", "kubernetes:core/v1:Namespace", "spark-run-namespace", "delete"));
    },
    remove: async (stack) => {
      calls.push(`drop ${stack}`);
      await Promise.resolve();
    },
    forget: async (stack) => {
      calls.push(`drop ${stack}`);
      await Promise.resolve();
      const failure = forgets.shift();
      if (failure !== undefined) throw new EngineFailure(failure);
    },
    unlock: async (stack) => {
      calls.push(`unlock ${stack}`);
      await Promise.resolve();
    },
    list: async () => await Promise.resolve([]),
    close: async () => {
      calls.push("close");
      await Promise.resolve();
    },
  };
}

async function* oneLog(): AsyncIterable<ContainerLog> {
  await Promise.resolve();
  yield {
    pod: "coordinator-x1",
    container: "driver",
    previous: false,
    truncated: false,
    text: bytes("Pi is roughly 3.14\n"),
  };
}

async function* bytes(text: string): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(new TextEncoder().encode(text));
}

function fakeCluster(scenario: Scenario, calls: string[]): RunCluster {
  const verdicts = [...(scenario.verdicts ?? [])];
  const answer = async (error: Error | undefined): Promise<void> => {
    await Promise.resolve();
    if (error !== undefined) throw error;
  };
  return {
    check: async () => {
      await answer(scenario.check);
    },
    checkFence: async () => {
      await answer(scenario.fence);
    },
    checkSecrets: async () => {
      await answer(scenario.secrets);
    },
    namespaceState: async () =>
      await Promise.resolve(
        scenario.namespace === "foreign"
          ? { kind: "foreign", labels: {}, terminating: false }
          : { kind: "absent" },
      ),
    deliverSecrets: async ({ namespace }: Plan) => {
      calls.push(`secrets ${namespace}`);
      await answer(scenario.secrets);
    },
    watch: async (_plan, { signal, sink }): Promise<WatchResult> => {
      sink?.phase?.("starting", new Date());
      sink?.phase?.("running", new Date());
      sink?.log?.("driver", "Pi is roughly 3.14");
      const leases = calls.filter((call) => /^lease \d/.test(call)).length;
      const outcome = verdicts.shift() ?? scenario.verdictsOfLeases?.[leases];
      if (outcome === undefined) await untilAborted(signal);
      return { outcome: signal.aborted ? undefined : outcome, observed: nothingObserved };
    },
    pods: async () => await Promise.resolve(nothingObserved),
    followLog: async () => {
      await Promise.resolve();
    },
    logs: () => oneLog(),
    leftovers: async () =>
      await Promise.resolve({
        objects: (scenario.leftovers ?? []).map((name) => ({
          apiVersion: "v1",
          kind: "ConfigMap",
          namespace: "demo",
          name,
          terminating: false,
          finalizers: [],
        })),
        unknown: [],
      }),
    waitGone: async () => await Promise.resolve([]),
    removeNamespace: async ({ namespace }) => {
      calls.push(`remove ${namespace}`);
      await Promise.resolve();
      if (scenario.namespace === "replaced") throw new UserError("namespace-foreign", "not the run's");
      return calls.filter((call) => call.startsWith("remove")).length === 1;
    },
    flink: async () =>
      scenario.flink === undefined
        ? await Promise.reject(new Error("no stream here"))
        : await Promise.resolve(scenario.flink.rest),
    close: () => undefined,
  };
}

function fakeStore({ missing = [], flink }: Scenario, calls: string[]): ObjectStore {
  const objects = flink?.objects ?? [];
  return {
    missing: async () => await Promise.resolve(missing),
    put: async (url) => {
      calls.push(`put ${url}`);
      await Promise.resolve();
    },
    putStream: async (url, body) => {
      await body.forEach(() => undefined);
      calls.push(`put ${url}`);
    },
    list: async () => await Promise.resolve([]),
    page: async (prefix) => {
      await Promise.resolve();
      if (objects.some(({ url }) => url === "away"))
        throw new UserError("s3-unreachable", "S3 does not answer.");
      return { objects: objects.filter(({ url }) => url.startsWith(prefix)), more: false };
    },
    remove: async (urls) => {
      calls.push(...urls.map((url) => `delete ${url}`));
      await Promise.resolve();
    },
    get: async () => await Promise.reject(new Error("not here")),
    close: () => undefined,
  };
}

/** A ledger that holds rows in memory, with versions as the real one. */
function fakeLedger(
  { ledgerFailsAt = Number.POSITIVE_INFINITY }: Scenario,
  stored: Map<string, LedgerRun>,
  recorded: RunEvent[],
  calls: string[],
): ForegroundTools["ledger"] {
  let updates = 0;
  const savepoints: Savepoint[] = [];
  const get = async (run: string): Promise<LedgerRun> => {
    const row = stored.get(run);
    return row === undefined
      ? await Promise.reject(new UserError("unknown-run", `no run ${run}`))
      : await Promise.resolve(row);
  };
  return {
    get,
    submit: async (submission) => {
      calls.push(`record ${submission.run}`);
      stored.set(submission.run, rowOf(submission));
      return await Promise.resolve({ run: submission.run, created: true });
    },
    update: async (run, version, patch: RunPatch) => {
      const row = await get(run);
      if (row.version !== version) throw new UserError("run-changed", "Another helper changed it.");
      if (++updates >= ledgerFailsAt) throw new UserError("ledger-full", "The disk is full.");
      stored.set(run, { ...row, ...patch, version: version + 1 });
      return version + 1;
    },
    append: async (_run, appended) => {
      recorded.push(...appended);
      return await Promise.resolve(recorded.length);
    },
    events: async () =>
      await Promise.resolve({
        events: recorded.map((event, index) => ({ seq: index + 1, event })),
        unknown: 0,
      }),
    noteLease: async () => {
      await Promise.resolve();
    },
    recordSavepoint: async (savepoint) => {
      calls.push(`savepoint ${savepoint.reason} ${savepoint.location}`);
      savepoints.unshift(savepoint);
      await Promise.resolve();
    },
    savepoints: async () => await Promise.resolve(savepoints),
    savepointDeleted: async () => {
      await Promise.resolve();
    },
    forget: async (run) => {
      calls.push(`forget ${run}`);
      stored.delete(run);
      await Promise.resolve();
    },
  };
}

/** A run as it is submitted. */
export function rowOf({
  run,
  spec,
  environment: name,
  connection: path,
  holder,
  submittedAt = new Date().toISOString(),
  machine,
}: Submission): LedgerRun {
  return {
    run,
    key: undefined,
    spec,
    specDigest: "d",
    tenant: spec.tenant,
    job: spec.name,
    environment: name,
    connection: path,
    interval: undefined,
    priority: 0,
    state: "planning",
    attempt: 0,
    phase: undefined,
    failureClass: undefined,
    outcome: undefined,
    namespace: undefined,
    stack: undefined,
    holder,
    fence: 0,
    cancelRequestedAt: undefined,
    notBefore: undefined,
    submittedAt,
    startedAt: submittedAt,
    endedAt: undefined,
    updatedAt: submittedAt,
    left: [],
    version: 1,
    plan: undefined,
    report: undefined,
    machine,
  };
}
