import type { EksEnvironment } from "../../../schema/environment/index.ts";
import type { Problem } from "./problem.ts";

/** Parts of the platform that need one another. */
export function platformProblems({ platform }: EksEnvironment): Problem[] {
  if (!platform.startupTaint.install || platform.calico.install) return [];
  return [
    {
      path: "platform.startupTaint",
      message: "waits for Calico, which platform.calico leaves out: nodes would never take a pod",
    },
  ];
}
