import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { isNotFound } from "./api.ts";
import { type Cluster, explained } from "./cluster.ts";

const Binding = z.object({
  spec: z.object({ policyName: z.string(), validationActions: z.array(z.string()).default([]) }),
});
const Policy = z.object({ spec: z.object({ failurePolicy: z.string().default("Fail") }) });

/**
 * Looks whether the policies that the contract speaks of are still there, bound, and refuse.
 * @throws UserError `fence-missing`
 */
export async function checkFence(cluster: Cluster, policies: readonly string[]): Promise<void> {
  await explained(cluster, async () => {
    const problems = await Promise.all(policies.map((policy) => fenceProblem(cluster, policy)));
    const problem = problems.find((one) => one !== undefined);
    if (problem === undefined) return;
    throw new UserError(
      "fence-missing",
      `${problem}: a helper that has lost its lease would not be stopped.`,
      {
        path: policies.join(", "),
        hint: "Somebody has removed or weakened it. Bring the environment up again (`pulumi up`; for the lab, `npx mayfly lab up`).",
        exitCode: EXIT.unavailable,
      },
    );
  });
}

async function fenceProblem({ api }: Cluster, policy: string): Promise<string | undefined> {
  const group = "/apis/admissionregistration.k8s.io/v1";
  const read = async (resource: string): Promise<unknown> => {
    try {
      return await api.get(`${group}/${resource}/${encodeURIComponent(policy)}`);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const [made, bound] = await Promise.all([
    read("validatingadmissionpolicies"),
    read("validatingadmissionpolicybindings"),
  ]);
  if (made === undefined) return `Admission policy ${policy} is not there`;
  if (bound === undefined) return `Admission policy ${policy} is not bound`;
  const { policyName, validationActions } = Binding.parse(bound).spec;
  if (policyName !== policy || !validationActions.includes("Deny"))
    return `Admission policy ${policy} refuses nothing`;
  if (Policy.parse(made).spec.failurePolicy !== "Fail")
    return `Admission policy ${policy} lets pass what it can't judge`;
  return undefined;
}
