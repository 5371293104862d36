import type { Outcome } from "../../schema/outcome.ts";
import type { OutOfMemory } from "./memory.ts";
import type { ContainerEnd, ObservedPod, ObservedRun } from "./observe.ts";

/** What a verdict asks the engine about. */
export interface EngineRules {
  /** What people call the process whose end is the run's: `driver`. */
  readonly driver: string;
  /** Whether the job goes on, whatever becomes of its workers, once all of them had a node. */
  readonly outlivesWorkers: boolean;
  /** Whether Kubernetes starts the driver again, until its Job has failed. */
  readonly driverComesBack: boolean;
  /** What it means that the driver ended by itself with another code than 0. */
  readonly failed: (known: ObservedRun, pod: ObservedPod, end: ContainerEnd) => Outcome;
  /** A worker that ran out of memory. */
  readonly workerOutOfMemory: (known: ObservedRun) => OutOfMemory | undefined;
  /** What became of a pod that people should know while the run goes on; each is told once by its key. */
  readonly warnings: (pod: ObservedPod) => readonly { readonly key: string; readonly text: string }[];
}
