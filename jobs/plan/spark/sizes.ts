/**
 * What Mayfly itself adds to a run: the two daemons and small disks. Measured in docs/plan.md; here alone, nowhere else.
 */
export const DAEMONS = {
  /** The master: its own container. Its start is on the path of every run, hence more CPU than it needs later: two seconds of it. */
  master: { cpu: 250, heapMib: 128, nativeMib: 192 },
  /** The worker daemon shares the container and the CPU of its executor. */
  worker: { heapMib: 96, nativeMib: 160 },
} as const;

/**
 * Hundredths of a second of CPU that a JVM may use before the master listens. Far less than it needs to get to the point where it
 * asks for the master: loading Spark's classes alone takes more (docs/plan.md).
 */
export const HEAD_START = { driver: 80, worker: 30 } as const;

/** Seconds for a driver to end after SIGTERM. */
export const COORDINATOR_GRACE = 30;

/**
 * Seconds for a worker to move its blocks away when its node is drained: what spot capacity gives (two minutes), less a margin.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
 */
export const WORKER_GRACE = 110;

/** The smallest heap in MiB that Spark starts with: it needs 450 MiB, and the JVM keeps some of -Xmx for itself. */
export const MIN_HEAP_MIB = 512;
