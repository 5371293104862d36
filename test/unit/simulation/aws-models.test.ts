import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import type { Facts } from "../../../simulation/plugins/aws/model.ts";
import { AWS_MODELS } from "../../../simulation/plugins/aws/models.ts";

/** What the SDK of the pinned version declares of a type, read from its code. */
function declared(type: string): {
  readonly inputs: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
} {
  const [, path = ""] = type.split(":");
  const text = readFileSync(join(projectDir, "node_modules", "@pulumi", "aws", `${path}.js`), "utf8");
  const names = (pattern: RegExp): ReadonlySet<string> =>
    new Set([...text.matchAll(pattern)].map(([, name]) => name ?? ""));
  return {
    inputs: names(/resourceInputs\["(\w+)"\] = (?:pulumi\.secret\()?(?:args|\(?args)/g),
    outputs: names(/resourceInputs\["(\w+)"\] = (?:state|undefined \/\*out)/g),
  };
}

const facts: Facts = {
  id: "acme:prod",
  urn: "urn:pulumi:prod::acme::type::acme",
  inputs: {},
  before: undefined,
  region: "eu-central-1",
  partition: "aws",
};

describe.each(Object.entries(AWS_MODELS))("%s as modelled", (type, model) => {
  const { inputs, outputs } = declared(type);
  const top = (path: string): string => path.split(".")[0] ?? path;

  test("replaces on inputs that the SDK has", () => {
    const paths = [...model.replaces, ...(model.replacesWhenRemoved ?? []), ...(model.sets ?? [])];
    expect(paths.map(top).filter((name) => !inputs.has(name))).toEqual([]);
  });

  test("has outputs that the SDK has", () => {
    const names = [...Object.keys(model.outputs(facts)), ...Object.keys(model.defaults ?? {})];
    expect(names.filter((name) => !outputs.has(name))).toEqual([]);
  });

  test("has tags and a region where the SDK has them", () => {
    expect({ tagged: model.tagged, regional: model.regional }).toEqual({
      tagged: outputs.has("tagsAll"),
      regional: inputs.has("region"),
    });
  });
});
