import { expect, test } from "vitest";
import { digestOf } from "../../../jobs/ledger/digest.ts";
import { pi } from "../../ledger/stores.ts";

test("the digest of a spec does not change with the order of members, nor from one version to the next", () => {
  const turned = { ...Object.fromEntries(Object.entries(pi).reverse()), ...pi };
  const digest = digestOf({ spec: pi, environment: "lab" });
  expect(digestOf({ spec: turned, environment: "lab" })).toBe(digest);
  // Keys in existing ledgers are compared with it.
  expect(digest).toMatchInlineSnapshot(`"285d3164a9173ea4f514b8112de4a52c45de64e9898c50302ee4ca1c78007206"`);
});

test("the order of a list counts: arguments are not a set", () => {
  const digests = [
    ["a", "b"],
    ["b", "a"],
  ].map((list) => digestOf({ spec: { ...pi, arguments: list }, environment: "lab" }));
  expect(new Set(digests).size).toBe(2);
});
