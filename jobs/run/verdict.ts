import type { Outcome } from "../../schema/outcome.ts";
import { type EngineError, isFencedOff } from "../engine/index.ts";

/** Pure: what a failed `up` means for the run. */
export function outcomeOfFailedUp(error: EngineError): Outcome {
  switch (error.kind) {
    case "cancelled":
      return { kind: "cancelled", message: "The run was cancelled while its cluster was made." };
    case "provider": {
      if (isFencedOff(error)) return { kind: "lost", message: error.message };
      const refusal = error.failures.find(({ reason }) => reason === "quota" || reason === "policy");
      const message = `The cluster could not be made. ${error.message}`;
      return refusal === undefined
        ? { kind: "infrastructure", message }
        : {
            kind: "refused",
            by: refusal.reason === "quota" ? "quota" : "policy",
            message: `${refusal.name}: ${refusal.message}`,
          };
    }
    case "policy":
      return { kind: "refused", by: "policy", message: error.message };
    case "conflict":
    case "not-found":
    case "exists":
    case "broken-state":
    case "unreachable":
    case "unauthorized":
    case "missing-tool":
    case "cli":
      return { kind: "infrastructure", message: `The cluster could not be made. ${error.message}` };
  }
}
