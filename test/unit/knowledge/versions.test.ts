import { describe, expect, test } from "vitest";
import { SUPPORTED_KUBERNETES, versionsFor } from "../../../knowledge/versions.ts";

const BUILD = /^v\d+\.\d+\.\d+-eksbuild\.\d+$/;

describe.each(SUPPORTED_KUBERNETES.map((minor) => [minor, versionsFor(minor)] as const))(
  "versions for Kubernetes %s",
  (minor, versions) => {
    test("have the form that EKS, the chart repositories and the image registry take", () => {
      for (const part of ["vpcCni", "coreDns", "kubeProxy", "ebsCsi", "podIdentityAgent"] as const) {
        expect(versions[part], part).toMatch(BUILD);
      }
      expect(versions.calico).toMatch(/^v\d+\.\d+\.\d+$/);
      expect(versions.clusterAutoscaler).toMatch(/^v\d+\.\d+\.\d+$/);
      expect(versions.clusterAutoscalerChart).toMatch(/^\d+\.\d+\.\d+$/);
    });

    test("go with the minor version where its maker says that they must", () => {
      expect(versions.kubeProxy.startsWith(`v${minor}.`)).toBe(true);
      expect(versions.clusterAutoscaler.startsWith(`v${minor}.`)).toBe(true);
    });
  },
);

test("a version that the table does not have is refused with those that it has", () => {
  expect(() => versionsFor("1.29")).toThrow(
    expect.objectContaining({
      code: "kubernetes-version-unsupported",
      message: "Kubernetes 1.29 is not supported.",
      hint: `Supported are ${SUPPORTED_KUBERNETES.join(", ")}.`,
    }),
  );
});

test("a name of every object's prototype is no version", () => {
  expect(() => versionsFor("toString")).toThrow("not supported");
});
