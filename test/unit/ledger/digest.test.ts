import { expect, test } from "vitest";
import { digestOf } from "../../../jobs/ledger/digest.ts";
import { pi } from "../../ledger/stores.ts";

test("the digest of a spec does not change with the order of members", () => {
  const turned = { ...Object.fromEntries(Object.entries(pi).reverse()), ...pi };
  const digest = digestOf({ spec: pi, environment: "lab" });
  expect(digestOf({ spec: turned, environment: "lab" })).toBe(digest);
});

test("the order of a list counts: arguments are not a set", () => {
  const digests = [
    ["a", "b"],
    ["b", "a"],
  ].map((list) => digestOf({ spec: { ...pi, arguments: list }, environment: "lab" }));
  expect(new Set(digests).size).toBe(2);
});
