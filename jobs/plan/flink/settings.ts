import type { FlinkPlan } from "../../../schema/plan.ts";
import { ownSettings } from "./conf.ts";
import type { FlinkContext } from "./context.ts";
import { COORDINATOR, PORTS, PRIVATE, SCRATCH } from "./layout.ts";
import type { JobManagerMemory, TaskManagerMemory } from "./memory.ts";
import { restartSettings } from "./restart.ts";
import { s3Settings, usesS3 } from "./s3.ts";
import { KEYSTORE_PASSWORD } from "./scripts.ts";
import { streamSettings } from "./stream.ts";

const mb = (mib: number): string => `${mib} mb`;

/**
 * What Flink's start scripts tell its processes after they divided the memory (BashJavaUtils): it comes from the plan instead, which
 * saves each pod a JVM. A test compares the numbers with the scripts'.
 */
const memorySettings = (
  jobManager: JobManagerMemory,
  taskManager: TaskManagerMemory,
): Record<string, string> => ({
  "jobmanager.memory.heap.size": mb(jobManager.heapMib),
  "jobmanager.memory.off-heap.size": mb(jobManager.offHeapMib),
  "jobmanager.memory.jvm-metaspace.size": mb(jobManager.metaspaceMib),
  "jobmanager.memory.jvm-overhead.min": mb(jobManager.overheadMib),
  "jobmanager.memory.jvm-overhead.max": mb(jobManager.overheadMib),
  "taskmanager.memory.framework.heap.size": mb(taskManager.frameworkHeapMib),
  "taskmanager.memory.framework.off-heap.size": mb(taskManager.frameworkOffHeapMib),
  "taskmanager.memory.task.heap.size": mb(taskManager.taskHeapMib),
  "taskmanager.memory.task.off-heap.size": mb(taskManager.taskOffHeapMib),
  "taskmanager.memory.managed.size": mb(taskManager.managedMib),
  "taskmanager.memory.network.min": mb(taskManager.networkMib),
  "taskmanager.memory.network.max": mb(taskManager.networkMib),
  "taskmanager.memory.jvm-metaspace.size": mb(taskManager.metaspaceMib),
  "taskmanager.memory.jvm-overhead.min": mb(taskManager.overheadMib),
  "taskmanager.memory.jvm-overhead.max": mb(taskManager.overheadMib),
});

/** Addresses and ports. REST is on the JobManager's loopback: it asks nobody who they are. */
const network: Readonly<Record<string, string>> = {
  "jobmanager.rpc.address": COORDINATOR,
  "jobmanager.rpc.port": String(PORTS.rpc),
  "jobmanager.bind-host": "0.0.0.0",
  "blob.server.port": String(PORTS.blob),
  // Pods have no names to look up by their addresses.
  "jobmanager.retrieve-taskmanager-hostname": "false",
  "taskmanager.bind-host": "0.0.0.0",
  "taskmanager.rpc.port": String(PORTS.taskRpc),
  "taskmanager.data.port": String(PORTS.data),
  "taskmanager.collect-sink.port": String(PORTS.collect),
  "metrics.internal.query-service.port": String(PORTS.query),
  "rest.address": "localhost",
  "rest.bind-address": "127.0.0.1",
  "rest.port": String(PORTS.rest),
  "rest.bind-port": String(PORTS.rest),
  "web.submit.enable": "false",
  "web.cancel.enable": "false",
  // Long before the other side's pod has its address; by default the next try comes after 10 s.
  "cluster.registration.error-delay": "500 ms",
  "cluster.registration.refused-registration-delay": "2 s",
};

/** Every connection inside the cluster proves the run's key and is encrypted. */
const security: Readonly<Record<string, string>> = {
  "security.ssl.internal.enabled": "true",
  "security.ssl.internal.keystore": PRIVATE.keystore,
  "security.ssl.internal.keystore-password": KEYSTORE_PASSWORD,
  "security.ssl.internal.key-password": KEYSTORE_PASSWORD,
  "security.ssl.internal.truststore": PRIVATE.keystore,
  "security.ssl.internal.truststore-password": KEYSTORE_PASSWORD,
  "security.ssl.protocol": "TLSv1.2",
  "security.ssl.algorithms": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
};

const common: Readonly<Record<string, string>> = {
  // Where nobody asked for more, the helper starts a lost JobManager anew, from the last checkpoint; nothing is kept in Kubernetes.
  "high-availability.type": "NONE",
  "execution.shutdown-on-application-finish": "true",
  "taskmanager.jvm-exit-on-oom": "true",
  "io.tmp.dirs": SCRATCH.io,
  "user.artifacts.base-dir": SCRATCH.artifacts,
  "metrics.reporters": "prom",
  "metrics.reporter.prom.factory.class": "org.apache.flink.metrics.prometheus.PrometheusReporterFactory",
  "metrics.reporter.prom.port": String(PORTS.metrics),
};

/** All settings of a run. What a job's `conf` says comes first: it can't change what Mayfly computes. */
export function settings(
  { spec, version, contract, tenant, deadlines }: FlinkContext,
  of: {
    readonly jobManager: JobManagerMemory;
    readonly taskManager: TaskManagerMemory;
    /** Millicores. */
    readonly taskManagerCpu: number;
    readonly parallelism: number;
    readonly folders: FlinkPlan["state"];
    readonly highAvailability: Readonly<Record<string, string>>;
  },
): Record<string, string> {
  const patience = `${deadlines.pending + deadlines.image + deadlines.start} s`;
  return {
    ...ownSettings(spec.conf),
    ...common,
    ...network,
    ...security,
    ...memorySettings(of.jobManager, of.taskManager),
    "pipeline.name": spec.name,
    "parallelism.default": String(of.parallelism),
    "execution.runtime-mode": spec.kind === "batch" ? "BATCH" : "STREAMING",
    "taskmanager.numberOfTaskSlots": String(spec.taskManagers.slots),
    "taskmanager.cpu.cores": String(of.taskManagerCpu / 1000),
    // Nodes may come one after the other: the helper's own deadlines end a run that gets none.
    // A slot that a busy machine takes longer to fill than the default of 10 s is given back, and with it the job fails.
    "pekko.ask.timeout": "60 s",
    "slot.request.timeout": patience,
    "taskmanager.registration.timeout": patience,
    ...restartSettings(spec),
    ...(spec.kind === "stream" && of.folders !== undefined
      ? streamSettings(spec, { version, folders: of.folders, patience })
      : {}),
    ...of.highAvailability,
    ...(usesS3(spec) ? s3Settings(contract.s3, tenant) : {}),
  };
}
