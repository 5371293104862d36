import { describe, expect, it } from "vitest";
import { z } from "zod";
import { jobSchema, parseSpec } from "../../../jobs/spec/index.ts";
import { wordcount } from "../plan/sample.ts";

type Node = Readonly<Record<string, unknown>>;
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

/** Every object in a schema that has properties, with its place. */
function* objects(node: unknown, path: string): Generator<{ path: string; properties: Node; node: Node }> {
  if (!isNode(node)) return;
  const properties = node["properties"];
  if (isNode(properties)) yield { path, properties, node };
  for (const [key, value] of Object.entries(node)) yield* objects(value, `${path}/${key}`);
}

describe("the JSON Schema of a job", () => {
  it("names itself and its dialect, so that editors know both", () => {
    expect(jobSchema()).toMatchObject({
      $id: "https://mayfly.dev/schema/job/v1.json",
      $schema: "https://json-schema.org/draft/2020-12/schema",
    });
  });

  it("forbids unknown fields everywhere", () => {
    for (const { path, node } of objects(jobSchema(), ""))
      expect([path, node["additionalProperties"]]).toEqual([path, false]);
  });

  it("describes every field that is not its own explanation", () => {
    const bare = [...objects(jobSchema(), "")].flatMap(({ path, properties }) =>
      Object.entries(properties)
        .filter(
          ([name, field]) =>
            isNode(field) &&
            !("description" in field) &&
            !("const" in field) &&
            !("$ref" in field) &&
            name !== "kind",
        )
        .map(([name]) => `${path}/${name}`),
    );
    expect(bare.filter((path) => !/(placement|serviceLevel|output)$/.test(path))).toEqual([]);
  });

  it("lets fields with a default be left out", () => {
    const text = JSON.stringify(jobSchema());
    expect(text).not.toMatch(/"required":\[[^\]]*"deadline"/);
  });

  it("agrees with the loader on good and bad specs", () => {
    const validator = z.fromJSONSchema(jobSchema());
    const good = wordcount();
    const bad = [
      { ...good, deadline: "5" },
      { ...good, workers: { count: 1, memory: "4GB" } },
      { ...good, name: "Bad" },
      { ...good, bogus: 1 },
    ];
    expect(validator.safeParse(good).success).toBe(true);
    for (const spec of bad) {
      expect(validator.safeParse(spec).success).toBe(false);
      expect(parseSpec(JSON.stringify(spec)).ok).toBe(false);
    }
  });
});
