import { describe, expect, test } from "vitest";
import { z } from "zod";
import { FencePolicy } from "../../../components/platform/fence-policy.ts";
import { jobProgram } from "../../../stacks/job/program.ts";
import { graphProblems } from "../../harness/invariants.ts";
import { type Graph, record } from "../../harness/record.ts";
import { availablePlan, flinkPlans } from "../../harness/samples.ts";
import { graphOf, LABELS, registrations } from "./example.ts";

const graph = await graphOf((providers) => {
  new FencePolicy("fence", { environment: "production", labels: LABELS, provider: providers.kubernetes });
});

const Selector = z.object({
  matchLabels: z.record(z.string(), z.string()),
  matchExpressions: z.array(z.object({ key: z.string(), operator: z.string() })),
});
const Rules = z.object({
  paramKind: z.object({ apiVersion: z.string(), kind: z.string() }).optional(),
  matchConstraints: z.object({
    namespaceSelector: Selector.optional(),
    objectSelector: Selector.optional(),
    resourceRules: z.array(
      z.object({
        apiGroups: z.array(z.string()),
        apiVersions: z.array(z.string()),
        operations: z.array(z.string()),
        resources: z.array(z.string()),
      }),
    ),
  }),
  matchConditions: z.array(z.object({ name: z.string(), expression: z.string() })).default([]),
  failurePolicy: z.string(),
});
const rules = (policy: string) => Rules.parse(graph.get(`fence-${policy}`).inputs["spec"]);

/** `group/plural` of what a program puts into its namespaces. */
function kindsIn(run: Graph): string[] {
  const kinds = run.resources
    .map(({ type }) => /^kubernetes:([a-z0-9.]+)\/v[12]:(\w+)$/.exec(type))
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
        metadata: {
          name: `mayfly-production-${name}`,
          labels: { ...LABELS, "mayfly.dev/role": "platform" },
        },
        spec: { policyName: `mayfly-production-${name}`, validationActions: ["Deny"] },
      });
      expect(rules(name).failurePolicy).toBe("Fail");
    }
  });

  test("stands around namespaces of the environment's runs that have a fence, and nothing else", () => {
    const fencedRuns = {
      matchLabels: { "mayfly.dev/environment": "production" },
      matchExpressions: [
        { key: "mayfly.dev/run", operator: "Exists" },
        { key: "mayfly.dev/fence", operator: "Exists" },
      ],
    };
    expect(rules("fence-objects").matchConstraints.namespaceSelector).toEqual(fencedRuns);
    expect(rules("fence-namespaces").matchConstraints.objectSelector).toEqual(fencedRuns);
  });

  test("compares a new namespace with what is noted at the environment's tenants, and lets all be made while there are none", () => {
    expect(rules("fence-namespaces").paramKind).toEqual({ apiVersion: "v1", kind: "Namespace" });
    expect(graph.get("fence-fence-namespaces-binding").inputs["spec"]).toMatchObject({
      paramRef: {
        selector: {
          matchLabels: { "mayfly.dev/environment": "production", "mayfly.dev/role": "tenant" },
        },
        parameterNotFoundAction: "Allow",
      },
    });
    expect(graph.get("fence-fence-objects-binding").inputs["spec"]).not.toHaveProperty("paramRef");
  });

  test("covers every kind that a run's program makes, and no pods", async () => {
    // With a service, and kept alive by Kubernetes, runs have every kind there is.
    const [one, other] = [flinkPlans()["flink-enrich"], availablePlan()];
    const kinds: string[] = [];
    for (const plan of [one, other]) {
      kinds.push(...kindsIn(await record(() => jobProgram({ plan, authenticationSecret: "c2VjcmV0" }))));
    }
    const covered = rules("fence-objects")
      .matchConstraints.resourceRules.flatMap(({ apiGroups, resources }) =>
        apiGroups.flatMap((group) => resources.map((resource) => `${group.split(".")[0] ?? ""}/${resource}`)),
      )
      .sort();
    expect(covered).toEqual([...new Set(kinds)].sort());
  });

  test("compares every part of what a run's program makes, so that no change is taken for none", async () => {
    const plan = availablePlan();
    const run = await record(() => jobProgram({ plan, authenticationSecret: "c2VjcmV0" }));
    const parts = new Set(
      run.resources
        .filter(({ type }) => type.startsWith("kubernetes:"))
        .flatMap(({ inputs }) => Object.keys(inputs))
        .filter((part) => !["apiVersion", "kind", "metadata"].includes(part)),
    );
    expect(parts).toContain("spec");
    const { expression = "" } =
      rules("fence-objects").matchConditions.find(({ name }) => name === "changes") ?? {};
    for (const part of parts) expect(expression).toContain(`object.?${part} != oldObject.?${part}`);
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
