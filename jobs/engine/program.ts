import { randomBytes } from "node:crypto";
import { secret } from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import type { Plan } from "../../schema/plan.ts";
import { jobProgram } from "../../stacks/job/program.ts";

/**
 * The inline program of a plan. The secret by which the run's processes know each other is made here, once per run: it exists in
 * this process, in the stack's state (encrypted) and in the run's namespace, nowhere else.
 * @param fence Of the lease under which it is made; it is in no plan, since the lease is had afterwards.
 */
export function programOf(plan: Plan, fence?: number): PulumiFn {
  const authenticationSecret = randomBytes(32).toString("hex");
  return async () =>
    await Promise.resolve({
      ...jobProgram({ plan, authenticationSecret: secret(authenticationSecret), fence }),
    });
}
