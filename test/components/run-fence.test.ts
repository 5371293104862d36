// A run's objects carry the fence of the lease under which they were made: docs/leases.md.
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { jobProgram } from "../../stacks/job/program.ts";
import { type Graph, record } from "../harness/record.ts";
import { flinkPlans, samplePlans } from "../harness/samples.ts";

const FENCE = "mayfly.dev/fence";
const plans = { ...samplePlans(), ...flinkPlans() };
const graphs: Record<string, Graph> = {};

const graphWith = async (name: keyof typeof plans, fence?: number): Promise<Graph> => {
  graphs[`${name} ${fence}`] ??= await record(() =>
    jobProgram({ plan: plans[name], authenticationSecret: "c2VjcmV0", fence }),
  );
  return graphs[`${name} ${fence}`] ?? expect.fail("no graph");
};

beforeAll(() => {
  delete process.env["KUBECONFIG"];
});

const Labelled = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) });

/** `path: value` of each member with the name of the label, wherever it is. */
function fencesIn(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === FENCE ? [`${path}: ${String(member)}`] : fencesIn(member, `${path}/${key}`),
  );
}

/** Inputs of each resource without the label. */
const unfenced = (graph: Graph): string[] =>
  graph.resources.map(({ name, inputs }) =>
    JSON.stringify([name, inputs], (key, member: unknown) => (key === FENCE ? undefined : member)),
  );

describe.each(["pi", "wordcount", "sessions", "flink-enrich"] as const)(
  "the stack of job %s, made under a lease",
  (name) => {
    test("has the lease's fence as a label of each object itself, of the namespace too, and nowhere else", async () => {
      const { resources } = await graphWith(name, 7);
      const objects = resources.filter(({ type }) => type.startsWith("kubernetes:"));
      expect(objects.map(({ type }) => type)).toContain("kubernetes:core/v1:Namespace");
      for (const object of objects) {
        expect([object.name, fencesIn(object.inputs)]).toEqual([object.name, ["/metadata/labels: 7"]]);
      }
    });

    test("has no such label where nobody holds a lease, as by `pulumi up`", async () => {
      const { resources } = await graphWith(name);
      expect(resources.flatMap(({ inputs }) => fencesIn(inputs))).toEqual([]);
      for (const { type, inputs } of resources.filter((one) => one.type.startsWith("kubernetes:")))
        expect([type, Labelled.safeParse(inputs).success]).toEqual([type, true]);
    });

    test("differs in nothing else from another fence's, so that a new holder restarts nothing", async () => {
      const [none, first, second] = [
        await graphWith(name),
        await graphWith(name, 7),
        await graphWith(name, 8),
      ];
      expect(unfenced(second)).toEqual(unfenced(first));
      expect(unfenced(first)).toEqual(unfenced(none));
    });
  },
);
