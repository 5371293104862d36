import type { Outcome } from "../../schema/outcome.ts";

/** What may take only so long. `run` is the job's own deadline, from when a helper first took it up. */
export type DeadlineName =
  | "plan"
  | "create"
  | "pending"
  | "image"
  | "start"
  | "run"
  | "suspend"
  | "recover"
  | "logs"
  | "destroy";

/** What is said when it is over, to people. */
export function deadlineMessage(name: DeadlineName, limitSeconds: number): string {
  const within = `within ${limitSeconds} s`;
  switch (name) {
    case "plan":
      return `The job was not sized and placed ${within}.`;
    case "create":
      return `The cluster's objects were not all made ${within}.`;
    case "pending":
      return `A pod found no node ${within}.`;
    case "image":
      return `A pod's image could not be pulled ${within}.`;
    case "start":
      return `The driver showed no sign of life ${within} of its pod's start.`;
    case "run":
      return `The job did not end ${within} of its start.`;
    case "suspend":
      return `The stream was not stopped with a savepoint ${within}; it goes on.`;
    case "recover":
      return `What a helper that died had left could not be put in order ${within}.`;
    case "logs":
      return `The logs were not all saved ${within}.`;
    case "destroy":
      return `The cluster was not gone ${within}; what is left of it: see \`mayfly show\`.`;
  }
}

/** How a run ends that passed a deadline before it had another outcome. */
export function deadlineOutcome(name: DeadlineName, limitSeconds: number): Outcome {
  const message = deadlineMessage(name, limitSeconds);
  switch (name) {
    case "pending":
    case "image":
    case "start":
    case "run":
      return { kind: "deadline", phase: name, limitSeconds, message };
    // Not the job's fault: another attempt may be quicker.
    case "plan":
    case "create":
    case "suspend":
    case "recover":
    case "logs":
    case "destroy":
      return { kind: "infrastructure", message };
  }
}
