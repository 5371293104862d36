import type { UserError } from "../../base/errors.ts";
import type { RunEvent } from "../../schema/events.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import type { Phase, PodReport, RunReport } from "../../schema/report.ts";
import type { StateOrigin, StreamReport } from "../../schema/stream.ts";
import type { DataInterval, RunStateName, SeenLease } from "../ledger/index.ts";

/** Which environment a command talks to. */
export interface EnvironmentOptions {
  /** Path of a connection file; where left out `MAYFLY_CONNECTION`, else the lab's. */
  readonly connection?: string | undefined;
}

/** How one job is run. */
export interface RunOptions extends EnvironmentOptions {
  /** Leave the cluster up afterwards, whatever the outcome; `destroyRun` removes it. */
  readonly keep?: boolean | undefined;
  /** Have the policy pack judge the cluster's objects as they are made; about a second more. A breach ends the run as `refused`. */
  readonly policy?: boolean | undefined;
  /** Pass the driver's log on as events of type `log` while it runs. */
  readonly follow?: boolean | undefined;
  /** Aborting cancels the run: it is stopped and destroyed, and the outcome is `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** Called in order with everything that happens; the last event is the `report`. Must not throw. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** The run's id; where left out it is made from the job's name and the time. */
  readonly runId?: string | undefined;
}

/**
 * Where a run is: the ledger's states, from `queued` to `succeeded`, `failed`, `cancelled` or `lost`, and `kept` where it was left
 * up on purpose. `stale` takes their place where its helper died before the end, or could not remove all: something may be left.
 */
export type RunState = RunStateName | "stale";

/** One row of `mayfly runs`. Times are ISO 8601. */
export interface RunSummary {
  readonly run: string;
  readonly key: string | undefined;
  readonly job: string;
  readonly tenant: string;
  readonly environment: string;
  readonly interval: DataInterval | undefined;
  /** By which the queue is ordered: of its service class, and within it (jobs/queue/rank.ts). */
  readonly priority: number;
  /** 0 until the first one is planned. */
  readonly attempt: number;
  readonly namespace: string | undefined;
  readonly stack: string | undefined;
  readonly state: RunState;
  /** The last phase that was entered. */
  readonly phase: string | undefined;
  /** Who works on it, or did. */
  readonly holder: string | undefined;
  /** The holder's process id on its machine. */
  readonly pid: number | undefined;
  readonly submittedAt: string;
  readonly startedAt: string | undefined;
  readonly endedAt: string | undefined;
  readonly cancelRequestedAt: string | undefined;
  readonly outcome: Outcome | undefined;
  /** What could not be removed. */
  readonly left: readonly string[];
}

/** Which runs `mayfly history` shows. */
export interface HistoryOptions {
  readonly tenant?: string | undefined;
  /** How long ago at most (`2h`, `7d`), or an ISO 8601 date. */
  readonly since?: string | undefined;
  /** At most so many, the newest; default 50. */
  readonly limit?: number | undefined;
  /** Told of each run that another version wrote, or that is damaged: it is left out. Where left out itself, that ends the list. */
  readonly onUnreadable?: ((run: string, problem: UserError) => void) | undefined;
}

/** Which runs `mayfly runs` shows. */
export interface ListOptions extends HistoryOptions {
  readonly states?: readonly string[] | undefined;
  readonly job?: string | undefined;
}

/** A job's runs, newest first. */
export interface RunHistory {
  readonly job: string;
  readonly runs: readonly RunSummary[];
}

/** An attempt as the run's events tell it. */
export interface SeenAttempt {
  readonly attempt: number;
  readonly phases: readonly { readonly phase: Phase; readonly at: string }[];
  readonly outcome?: Outcome | undefined;
  /** State that a stream's attempt started with. */
  readonly startedFrom?: StateOrigin | undefined;
}

/** How a live stream does. */
export interface StreamNow {
  readonly stream: StreamReport;
  /** Whether Flink itself was asked, now; else `stream` is what helpers were told last, and has its time. */
  readonly live: boolean;
  /** Why Flink could not be asked. */
  readonly reason?: string | undefined;
}

/** All that the ledger knows of a run. */
export interface RunDetails {
  readonly summary: RunSummary;
  /** Undefined for a run from the time before the ledger. */
  readonly spec: JobSpec | undefined;
  /** Of the last attempt. */
  readonly plan: Plan | undefined;
  readonly report: RunReport | undefined;
  readonly attempts: readonly SeenAttempt[];
  /** Who was seen to hold the run's lease. */
  readonly leases: readonly SeenLease[];
  readonly events: readonly RunEvent[];
  /** Events of a form that this version does not know. */
  readonly unknownEvents: number;
  /** Of a live stream. */
  readonly stream?: StreamNow | undefined;
}

/** What `mayfly status RUN` shows. */
export interface RunStatus {
  readonly summary: RunSummary;
  readonly plan: Plan;
  /** Live pods; empty once they are gone. */
  readonly pods: readonly PodReport[];
  /** Why the cluster could not be asked, where it could not. */
  readonly unreachable?: string | undefined;
  /** The report, once the run has ended. */
  readonly report?: RunReport | undefined;
}

/** One line of a run's logs. */
export interface LogLine {
  /** Pod and container, such as `coordinator/driver`. */
  readonly source: string;
  readonly line: string;
}

export interface LogOptions extends EnvironmentOptions {
  /** Wait for further lines until the run's driver ends. */
  readonly follow?: boolean | undefined;
  /** Only this container's lines (`driver`, `master`, `worker`); the driver's where left out. */
  readonly container?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onLine: (line: LogLine) => void;
}

export interface DestroyOptions extends EnvironmentOptions {
  /** Also a live stream, whose state is lost by that. */
  readonly discardState?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
}

export interface DestroyResult {
  readonly run: string;
  readonly namespace: string;
  /** `stack`: by Pulumi from the stack's state; `namespace`: the state was gone, the namespace was ours and was deleted. */
  readonly by: "stack" | "namespace" | "nothing";
  /** What could not be removed, such as `Namespace demo-pi-1`; empty when nothing is left. */
  readonly left: readonly string[];
}

/** One resource of `mayfly preview`. */
export interface PreviewRow {
  /** create, … */
  readonly operation: string;
  /** Pulumi type token such as `kubernetes:core/v1:Namespace`. */
  readonly kind: string;
  readonly name: string;
}

/** A rule of the policy pack that an object breaks. */
export interface PolicyBreach {
  readonly rule: string;
  /** Whether the object would be refused. */
  readonly mandatory: boolean;
  /** Its type and name; undefined for the cluster as a whole. */
  readonly resource: Pick<PreviewRow, "kind" | "name"> | undefined;
  /** What the rule wants, then what is wrong, line by line. */
  readonly message: string;
}

/** What the policy pack found. */
export interface PolicyResult {
  /** No mandatory rule is broken. */
  readonly passed: boolean;
  readonly breaches: readonly PolicyBreach[];
}

export interface JobPreview {
  readonly plan: Plan;
  readonly resources: readonly PreviewRow[];
  /** What the policy pack found; undefined where it was not asked. */
  readonly policy: PolicyResult | undefined;
  /** What people should know of how it was made, such as that a stand-in was used. */
  readonly remarks: readonly string[];
}

/** Signal handling around one `run`. */
export interface Interruptions {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Feed the run's events here so that later Ctrl-C can say what goes on and since when. */
  readonly observe: (event: RunEvent) => void;
  /** Takes the handlers off again. */
  readonly dispose: () => void;
}
