import { describe, expect, test } from "vitest";
import { compare, showPath } from "../../../simulation/plugins/compare.ts";
import { secret, UNKNOWN_VALUE } from "../../../simulation/wire.ts";

const paths = (comparison: ReturnType<typeof compare>): readonly string[] =>
  comparison.changes.map(
    ({ path, kind, replaces }) => `${kind} ${showPath(path)}${replaces ? " replaces" : ""}`,
  );

describe("inputs of a resource compared", () => {
  test("names each property that differs, as the engine writes paths", () => {
    const before = { scaling: { max: 5 }, tags: { "mayfly.dev/pool": "batch" }, zones: ["a", "b"] };
    const after = { scaling: { max: 9 }, tags: {}, zones: ["a", "b", "c"] };
    expect(paths(compare(before, after, { replaces: [] }))).toEqual([
      "update scaling.max",
      'delete tags["mayfly.dev/pool"]',
      "add zones[2]",
    ]);
  });

  test("marks what needs a new resource, also when the record that holds it comes or goes", () => {
    const rules = { replaces: ["launchTemplate.id", "cidrBlock"] };
    expect(
      paths(
        compare(
          { launchTemplate: { id: "lt-1", version: "1" } },
          { launchTemplate: { id: "lt-1", version: "2" } },
          rules,
        ),
      ),
    ).toEqual(["update launchTemplate.version"]);
    expect(paths(compare({ launchTemplate: { id: "lt-1" } }, { cidrBlock: "10.0.0.0/16" }, rules))).toEqual([
      "add cidrBlock replaces",
      "delete launchTemplate replaces",
    ]);
  });

  test("takes a set in another order as the same, a list not", () => {
    const rules = { replaces: [], sets: ["subnetIds"] };
    expect(paths(compare({ subnetIds: ["a", "b"] }, { subnetIds: ["b", "a"] }, rules))).toEqual([]);
    expect(paths(compare({ types: ["a", "b"] }, { types: ["b", "a"] }, rules))).toHaveLength(2);
  });

  test("takes a value that is not known yet as a change", () => {
    expect(paths(compare({ vpcId: "vpc-1" }, { vpcId: UNKNOWN_VALUE }, { replaces: ["vpcId"] }))).toEqual([
      "update vpcId replaces",
    ]);
  });

  test("compares secrets by their values", () => {
    expect(paths(compare({ data: secret("a") }, { data: "a" }, { replaces: [] }))).toEqual([]);
    expect(paths(compare({ data: secret("a") }, { data: secret("b") }, { replaces: [] }))).toEqual([
      "update data",
    ]);
  });

  test("asks for the old one to go first only where something is replaced", () => {
    const rules = { replaces: ["name"], deleteBeforeReplace: true };
    expect(compare({ name: "a" }, { name: "b" }, rules).deleteBeforeReplace).toBe(true);
    expect(compare({ size: 1 }, { size: 2 }, rules).deleteBeforeReplace).toBe(false);
  });
});
