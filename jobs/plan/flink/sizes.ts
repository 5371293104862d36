/** The smallest heap in MiB that is left to tasks: less and a TaskManager starts, but fails with the first records. */
export const MIN_TASK_HEAP_MIB = 64;

/** The smallest heap of a JobManager in MiB: JobManagerOptions.MIN_JVM_HEAP_SIZE of Flink. */
export const MIN_JOBMANAGER_HEAP_MIB = 128;

/** Seconds for a JobManager to end after SIGTERM. */
export const COORDINATOR_GRACE = 30;

/** Seconds for a TaskManager to cancel its tasks after SIGTERM. */
export const WORKER_GRACE = 60;
