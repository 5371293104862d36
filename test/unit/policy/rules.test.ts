import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import { evaluate, problemText, type Violation } from "../../../policy/evaluate.ts";
import { EXEMPTIONS } from "../../../policy/exempt.ts";
import type { ResourceView } from "../../../policy/resource.ts";
import { RULES } from "../../../policy/rules/index.ts";
import { UNKNOWN } from "../../../policy/values.ts";
import { EXAMPLES } from "./examples/index.ts";

const line = ({ resource, ...problem }: Violation): string => `${resource.name}: ${problemText(problem)}`;

test("every rule has bad and good examples, and every example has a rule", () => {
  expect(EXAMPLES.map(({ rule }) => rule).sort()).toEqual(RULES.map(({ name }) => name).sort());
  for (const { bad, good } of EXAMPLES) expect(Math.min(bad.length, good.length)).toBeGreaterThan(0);
});

test("a rule's name is kebab-case, its text says what to do, its link says why", () => {
  for (const { name, description, url } of RULES) {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)+$/);
    expect(description).toMatch(/^[A-Z][^]*[^.]\.$/);
    expect(url).toMatch(/^https:\/\//);
  }
});

test("docs/policy.md has each rule, its link and each exemption in its tables", () => {
  const page = readFileSync(join(projectDir, "docs", "policy.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (.*)$/gm)].map(([, name = "", rest = ""]) => ({
    name,
    rest,
  }));
  const linked = rows.filter(({ rest }) => rest.includes("https://"));
  expect(linked.map(({ name }) => name)).toEqual(RULES.map(({ name }) => name));
  for (const { name, url } of RULES) {
    expect(linked.find((row) => row.name === name)?.rest).toContain(url);
  }
  const exempt = rows.filter(({ rest }) => !rest.includes("https://"));
  expect(exempt.map(({ name }) => name)).toEqual(EXEMPTIONS.map(({ rule }) => rule));
});

test("exemptions name rules that there are, and give a reason", () => {
  const names = RULES.map(({ name }) => name);
  for (const { rule, reason } of EXEMPTIONS) {
    expect(names).toContain(rule);
    expect(reason.length).toBeGreaterThan(20);
  }
});

describe.each(EXAMPLES)("$rule", ({ rule, bad, good }) => {
  test.each(bad)("refuses $title", ({ resources, says }) => {
    const violations = evaluate(resources);
    expect(violations.map(line)).toEqual(says);
    expect(new Set(violations.map((violation) => violation.rule))).toEqual(new Set([rule]));
  });

  test.each(good)("lets $title pass", ({ resources }) => {
    expect(evaluate(resources).map((violation) => `${violation.rule}: ${line(violation)}`)).toEqual([]);
  });

  test.each(good)("finds nothing wrong with $title while any one value is not known yet", ({ resources }) => {
    const hidden = resources.flatMap((resource) =>
      variants(resource.props).map(({ path, value }) => ({ path, resource: { ...resource, props: value } })),
    );
    // Fewer would mean that nothing was hidden.
    expect(hidden.length).toBeGreaterThanOrEqual(
      resources.filter(({ props }) => Object.keys(props).length > 0).length,
    );
    for (const { path, resource } of hidden) {
      const stack = resources.map((one) => (one.urn === resource.urn ? resource : one));
      expect(evaluate(stack).map((violation) => `without ${path}: ${line(violation)}`)).toEqual([]);
    }
  });

  test.each(bad)("says of $title only what is left out while no value is known", ({ resources }) => {
    const unknown = resources.map((resource): ResourceView => {
      const props = Object.fromEntries(Object.keys(resource.props).map((key) => [key, UNKNOWN]));
      return { ...resource, props };
    });
    const resourceRules = RULES.filter(({ scope }) => scope === "resource");
    const about = evaluate(unknown, resourceRules).filter(
      ({ resource, path }) => (path.split(/[.[]/)[0] ?? "") in resource.props,
    );
    expect(about.map(line)).toEqual([]);
  });
});

type Properties = Readonly<Record<string, unknown>>;

/** Copies of properties, each with one value, at any depth, replaced by {@link UNKNOWN}. */
function variants(props: Properties): { path: string; value: Properties }[] {
  return Object.keys(props).flatMap((key) =>
    hide(props[key]).map(({ path, value }) => ({ path: `${key}${path}`, value: { ...props, [key]: value } })),
  );
}

function hide(value: unknown): { path: string; value: unknown }[] {
  if (value === undefined) return [];
  const whole = { path: "", value: UNKNOWN };
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    const items = list.flatMap((item, index) =>
      hide(item).map((hidden) => ({
        path: `[${index}]${hidden.path}`,
        value: list.with(index, hidden.value),
      })),
    );
    return [whole, ...items];
  }
  if (typeof value !== "object" || value === null) return [whole];
  const members = Object.entries(value).flatMap(([key, member]) =>
    hide(member).map((hidden) => ({
      path: `.${key}${hidden.path}`,
      value: { ...value, [key]: hidden.value },
    })),
  );
  return [whole, ...members];
}
