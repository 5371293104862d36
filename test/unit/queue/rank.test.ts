import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classRefusal, FINE_MAX, type Limits, partsOf, rankOf } from "../../../jobs/queue/index.ts";
import { DEFAULT_TENANT_LIMITS, SERVICE_CLASSES, type ServiceClass } from "../../../schema/service.ts";

const fine = fc.integer({ min: -FINE_MAX, max: FINE_MAX });
const serviceClass = fc.constantFrom(...SERVICE_CLASSES);
const ORDER: Readonly<Record<ServiceClass, number>> = { batch: 1, standard: 2, urgent: 3 };

describe("the place in the queue", () => {
  test("goes by service class, whatever the priority within it, and by that among those of one class", () => {
    fc.assert(
      fc.property(serviceClass, fine, serviceClass, fine, (one, oneFine, other, otherFine) => {
        const byClass = ORDER[one] - ORDER[other];
        expect(Math.sign(rankOf(one, oneFine) - rankOf(other, otherFine))).toBe(
          Math.sign(byClass === 0 ? oneFine - otherFine : byClass),
        );
      }),
    );
  });

  test("tells class and priority again", () => {
    fc.assert(
      fc.property(serviceClass, fine, (one, oneFine) => {
        expect(partsOf(rankOf(one, oneFine))).toEqual({ serviceClass: one, fine: oneFine });
      }),
    );
  });

  test("of runs from before there were classes is that of standard ones", () => {
    expect(partsOf(7)).toEqual({ serviceClass: "standard", fine: 7 });
  });
});

describe("a job's service class", () => {
  const limits: Limits = {
    helper: 4,
    tenants: { acme: { ...DEFAULT_TENANT_LIMITS, serviceClass: "urgent" } },
  };

  test("may be up to the tenant's own, and standard where the environment says nothing of it", () => {
    for (const asked of SERVICE_CLASSES) expect(classRefusal("acme", asked, limits)).toBeUndefined();
    expect(classRefusal("globex", "standard", limits)).toBeUndefined();
  });

  test("above that is refused with what to write", () => {
    expect(classRefusal("globex", "urgent", limits)).toMatchObject({
      code: "service-class-denied",
      path: "serviceLevel.class",
      exitCode: 14,
      message: "Jobs of tenant globex may be standard at most, and this one is urgent.",
    });
  });
});
