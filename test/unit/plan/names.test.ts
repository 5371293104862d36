import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dnsName, runId, runLabels, runNames } from "../../../jobs/plan/names.ts";

const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

describe("a name made of parts", () => {
  it("is the parts themselves where they are a valid name", () => {
    expect(dnsName(["acme", "wordcount-11240544-k3fqa"])).toBe("acme-wordcount-11240544-k3fqa");
  });

  it("is a DNS label of at most 63 characters, whatever the parts", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 300, unit: "grapheme" }), { maxLength: 5 }), (parts) => {
        const name = dnsName(parts);
        expect(name).toMatch(LABEL);
        expect(name.length).toBeLessThanOrEqual(63);
      }),
    );
  });

  it("keeps within any limit that leaves room for its hash", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 80 })),
        fc.integer({ min: 10, max: 63 }),
        (parts, limit) => {
          const name = dnsName(parts, limit);
          expect(name).toMatch(LABEL);
          expect(name.length).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });

  it("differs where the parts differ", () => {
    const part = fc.stringMatching(/^[a-zA-Z0-9-]{0,50}$/);
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 2, maxLength: 3 }),
        fc.array(part, { minLength: 2, maxLength: 3 }),
        (one, other) => {
          // Parts that are valid as they stand may join to the same text: `a-b` + `c` and `a` + `b-c`. Ownership labels tell those apart.
          fc.pre(one.join("-") !== other.join("-"));
          expect(dnsName(one)).not.toBe(dnsName(other));
        },
      ),
    );
  });

  it("cuts the longest part first, so that the short ones stay readable", () => {
    const name = dnsName(["acme", "quarterly-revenue-report-of-all-european-subsidiaries-and-branches", "7"]);
    expect(name).toMatch(/^acme-quarterly-revenue-report-of-all-european-su[a-z]*-7-[0-9a-f]{8}$/);
  });
});

describe("a run's id", () => {
  const random = (seed: number): Uint8Array => createHash("sha256").update(String(seed)).digest();

  it("tells job and time, and sorts by time within a month's digits", () => {
    expect(runId("wordcount", Date.UTC(2026, 10, 24, 5, 44), random(1))).toMatch(
      /^wordcount-11240544-[a-z2-9]{5}$/,
    );
  });

  it("is a label of at most 40 characters for any job name", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 300 }),
        fc.integer({ min: 0, max: 4e12 }),
        fc.nat(),
        (job, time, seed) => {
          const run = runId(job, time, random(seed));
          expect(run).toMatch(LABEL);
          expect(run.length).toBeLessThanOrEqual(40);
        },
      ),
    );
  });

  it("is the same for the same input and differs for other random bytes", () => {
    expect(runId("pi", 0, random(1))).toBe(runId("pi", 0, random(1)));
    expect(runId("pi", 0, random(1))).not.toBe(runId("pi", 0, random(2)));
  });

  it("needs enough random bytes", () => {
    expect(() => runId("pi", 0, new Uint8Array(4))).toThrow("5 random bytes");
  });
});

describe("names of an attempt", () => {
  it("give each attempt its own namespace", () => {
    expect(runNames("acme", "pi", "pi-11240544-k3fqa", 1).namespace).toBe("acme-pi-11240544-k3fqa");
    expect(runNames("acme", "pi", "pi-11240544-k3fqa", 2).namespace).toBe("acme-pi-11240544-k3fqa-2");
  });

  it("stay within 63 characters for the longest tenant, run and attempt", () => {
    const { namespace } = runNames("a".repeat(20), "j".repeat(40), "r".repeat(40), 31);
    expect(namespace).toMatch(LABEL);
    expect(namespace.length).toBeLessThanOrEqual(63);
  });

  it("become labels that Kubernetes takes", () => {
    const labels = runLabels({
      engine: "spark",
      version: "4.0.1",
      tenant: "acme",
      job: "pi",
      run: "pi-1",
      attempt: 2,
      environment: "prod",
      environmentClass: "production",
    });
    for (const value of Object.values(labels))
      expect(value).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
    expect(labels).toMatchObject({
      "mayfly.dev/tenant": "acme",
      "mayfly.dev/run": "pi-1",
      "mayfly.dev/attempt": "2",
      "mayfly.dev/class": "production",
    });
  });
});
