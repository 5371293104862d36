import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import { UNTAGGABLE } from "../../../policy/untaggable.ts";

const sdk = (name: string): string => join(projectDir, "node_modules", "@pulumi", name);
const source = (file: string): string => readFileSync(file, "utf8");

/** Type token of the class that a file of the SDK declares; undefined where it declares none. */
const tokenIn = (file: string): string | undefined =>
  /__pulumiType = '([^']+)'/.exec(existsSync(file) ? source(file) : "")?.[1];

test.each(Object.entries(UNTAGGABLE))(
  "the provider agrees which types of module %s take no tags",
  (module, names) => {
    const folder = join(sdk("aws"), module);
    const untagged = readdirSync(folder).flatMap((file) => {
      if (!file.endsWith(".d.ts") || source(join(folder, file)).includes("tagsAll")) return [];
      const token = tokenIn(join(folder, file.replace(/\.d\.ts$/, ".js")));
      return token === undefined ? [] : [token.split(":").at(-1) ?? token];
    });
    expect(names).toEqual(untagged.sort());
  },
);

/** Every type token that a file of the policy pack names. A misspelt one would be a rule that never looks at anything. */
const named = ["", "rules"].flatMap((folder) =>
  readdirSync(join(projectDir, "policy", folder))
    .filter((file) => file.endsWith(".ts"))
    .flatMap(
      (file) =>
        source(join(projectDir, "policy", folder, file)).match(/"(aws|kubernetes):[^":]+\/[^":]+:\w+"/g) ??
        [],
    )
    .map((quoted) => quoted.slice(1, -1)),
);

test("the rules name types", () => {
  expect(named.length).toBeGreaterThan(30);
});

test.each([...new Set(named)].sort())("the SDK has type %s", (token) => {
  const [provider = "", path = "", name = ""] = token.split(":");
  const file =
    provider === "aws"
      ? path
      : join(path.replace(".k8s.io", ""), name.charAt(0).toLowerCase() + name.slice(1));
  expect(tokenIn(join(sdk(provider), `${file}.js`))).toBe(token);
});
