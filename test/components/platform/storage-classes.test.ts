import { describe, expect, test } from "vitest";
import { StorageClasses } from "../../../components/platform/storage-classes.ts";
import { graphProblems } from "../../harness/invariants.ts";
import { graphOf, LABELS, registrations } from "./example.ts";

const KEY = "arn:aws:kms:eu-central-1:123456789012:key/0c1e9c3a-2c55-4a1c-a6cb-2b1f3bb9e0aa";
const graph = await graphOf((providers) => {
  new StorageClasses("storage", { keyArn: KEY, labels: LABELS, provider: providers.kubernetes });
});

describe("storage classes", () => {
  test("are exactly these three", () => {
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "storage  mayfly:platform:StorageClasses",
      "storage-gp3  kubernetes:storage.k8s.io/v1:StorageClass  by kubernetes  in storage",
      "storage-gp3-retain  kubernetes:storage.k8s.io/v1:StorageClass  by kubernetes  in storage",
      "storage-local-nvme  kubernetes:storage.k8s.io/v1:StorageClass  by kubernetes  in storage",
    ]);
  });

  test.each([
    ["gp3", "Delete"],
    ["gp3-retain", "Retain"],
  ])(
    "%s is encrypted with the environment's key, tagged, made where its pod lands, and on release: %s",
    (name, reclaimPolicy) => {
      expect(graph.get(`storage-${name}`).inputs).toMatchObject({
        metadata: { name },
        provisioner: "ebs.csi.aws.com",
        reclaimPolicy,
        volumeBindingMode: "WaitForFirstConsumer",
        allowVolumeExpansion: true,
        parameters: {
          type: "gp3",
          encrypted: "true",
          kmsKeyId: KEY,
          tagSpecification_1: "app.kubernetes.io/managed-by=mayfly",
          tagSpecification_2: "mayfly.dev/environment=prod",
          tagSpecification_3: "mayfly.dev/class=production",
        },
      });
    },
  );

  test("have one default, the one that keeps nothing", () => {
    const defaults = graph.resources.filter(({ inputs }) =>
      JSON.stringify(inputs).includes("is-default-class"),
    );
    expect(defaults.map(({ name }) => name)).toEqual(["storage-gp3"]);
  });

  test("are encrypted also without a key of the environment's own", async () => {
    const plain = await graphOf((providers) => {
      new StorageClasses("storage", { labels: LABELS, provider: providers.kubernetes });
    });
    const { parameters } = plain.get("storage-gp3").inputs;
    expect(parameters).toMatchObject({ encrypted: "true" });
    expect(parameters).not.toHaveProperty("kmsKeyId");
  });

  test("let local disks bind where they are", () => {
    expect(graph.get("storage-local-nvme").inputs).toMatchObject({
      provisioner: "kubernetes.io/no-provisioner",
      volumeBindingMode: "WaitForFirstConsumer",
    });
  });
});
