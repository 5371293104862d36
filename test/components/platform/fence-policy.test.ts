import { describe, expect, test } from "vitest";
import { z } from "zod";
import { FencePolicy } from "../../../components/platform/fence-policy.ts";
import { jobProgram } from "../../../stacks/job/program.ts";
import { graphProblems } from "../../harness/invariants.ts";
import { type Graph, record } from "../../harness/record.ts";
import { samplePlans } from "../../harness/samples.ts";
import { graphOf, LABELS, registrations } from "./example.ts";

const graph = await graphOf((providers) => {
  new FencePolicy("fence", { prefix: "mayfly", labels: LABELS, provider: providers.kubernetes });
});

const Rules = z.object({
  matchConstraints: z.object({
    namespaceSelector: z
      .object({ matchExpressions: z.array(z.object({ key: z.string(), operator: z.string() })) })
      .optional(),
    resourceRules: z.array(
      z.object({
        apiGroups: z.array(z.string()),
        apiVersions: z.array(z.string()),
        operations: z.array(z.string()),
        resources: z.array(z.string()),
      }),
    ),
  }),
  failurePolicy: z.string(),
});
const rules = (policy: string) => Rules.parse(graph.get(`fence-${policy}`).inputs["spec"]);

/** `group/plural` of what a program puts into its namespaces. */
function kindsIn(run: Graph): string[] {
  const kinds = run.resources
    .map(({ type }) => /^kubernetes:([a-z0-9.]+)\/v1:(\w+)$/.exec(type))
    .filter((match) => match !== null)
    .map(([, group = "", kind = ""]) => {
      const plural = kind.toLowerCase().replace(/y$/, "ie");
      return `${group === "core" ? "" : group.split(".")[0]}/${plural}s`;
    });
  return [...new Set(kinds)].filter((kind) => kind !== "/namespaces").sort();
}

describe("the fence at the API server", () => {
  test("is exactly two policies, each bound to deny", () => {
    expect(graphProblems(graph)).toEqual([]);
    const of = (name: string, kind: string): string =>
      `fence-${name}  kubernetes:admissionregistration.k8s.io/v1:${kind}  by kubernetes  in fence`;
    expect(registrations(graph)).toEqual([
      "fence  mayfly:platform:FencePolicy",
      of("fence-namespaces", "ValidatingAdmissionPolicy"),
      of("fence-namespaces-binding", "ValidatingAdmissionPolicyBinding"),
      of("fence-objects", "ValidatingAdmissionPolicy"),
      of("fence-objects-binding", "ValidatingAdmissionPolicyBinding"),
    ]);
    for (const name of ["fence-objects", "fence-namespaces"]) {
      expect(graph.get(`fence-${name}-binding`).inputs).toMatchObject({
        metadata: { name: `mayfly-${name}`, labels: { ...LABELS, "mayfly.dev/role": "platform" } },
        spec: { policyName: `mayfly-${name}`, validationActions: ["Deny"] },
      });
      expect(rules(name).failurePolicy).toBe("Fail");
    }
  });

  test("stands around runs' namespaces that have a fence, and nothing else", () => {
    expect(rules("fence-objects").matchConstraints.namespaceSelector).toEqual({
      matchExpressions: [
        { key: "mayfly.dev/run", operator: "Exists" },
        { key: "mayfly.dev/fence", operator: "Exists" },
      ],
    });
  });

  test("covers every kind that a run's program makes, and no pods", async () => {
    const plan = samplePlans().wordcount;
    const run = await record(() => jobProgram({ plan, authenticationSecret: "c2VjcmV0" }));
    const covered = rules("fence-objects")
      .matchConstraints.resourceRules.flatMap(({ apiGroups, resources }) =>
        apiGroups.flatMap((group) => resources.map((resource) => `${group.split(".")[0] ?? ""}/${resource}`)),
      )
      .sort();
    expect(covered).toEqual(kindsIn(run));
  });

  test("never stands in the way of a delete or of a status", () => {
    for (const name of ["fence-objects", "fence-namespaces"]) {
      for (const { operations, resources } of rules(name).matchConstraints.resourceRules) {
        expect(operations).not.toContain("DELETE");
        expect(operations).not.toContain("*");
        expect(resources.filter((resource) => /[*/]/.test(resource))).toEqual([]);
      }
    }
  });
});
