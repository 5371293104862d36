import { describe, expect, it } from "vitest";
import { loadCheckpoint, saveCheckpoint } from "../../../lab/kubernetes-plugin/state.ts";

const checkpoint = {
  inputs: { apiVersion: "v1", kind: "Secret", stringData: { password: "x" } },
  live: {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "login",
      managedFields: [{ manager: "kubectl" }],
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{password}", note: "1" },
    },
    data: { password: "eA==" },
  },
  secrets: [],
  fieldManager: "pulumi-kubernetes-01234567",
  initialApiVersion: "v1",
};

describe("the state of a resource", () => {
  it("has the live object on top, and the inputs, first version and field manager under the official plugin's names", () => {
    expect(saveCheckpoint(checkpoint).value).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "login", annotations: { note: "1" } },
      data: { password: "eA==" },
      __inputs: checkpoint.inputs,
      __initialApiVersion: "v1",
      __fieldManager: "pulumi-kubernetes-01234567",
    });
  });

  it("marks all data of a Secret as secret, in the inputs too", () => {
    const { secrets } = saveCheckpoint(checkpoint);
    for (const path of [["data"], ["stringData"], ["__inputs", "data"], ["__inputs", "stringData"]])
      expect(secrets).toContainEqual(path);
  });

  it("gives back what was saved", () => {
    const { inputs, fieldManager, initialApiVersion } = checkpoint;
    expect(loadCheckpoint(saveCheckpoint(checkpoint))).toMatchObject({
      inputs,
      fieldManager,
      initialApiVersion,
    });
  });

  it("turns the names of a definition's schema into what the server knows, and back", () => {
    const sdk = { value: { __inputs: { schema: { x_kubernetes_int_or_string: true } } }, secrets: [] };
    const loaded = loadCheckpoint(sdk);
    expect(loaded.inputs).toEqual({ schema: { "x-kubernetes-int-or-string": true } });
    expect(saveCheckpoint(loaded).value).toMatchObject(sdk.value);
  });

  it("is empty for a resource that has none yet", () => {
    expect(loadCheckpoint({ value: {}, secrets: [] })).toMatchObject({
      inputs: {},
      live: {},
      fieldManager: undefined,
    });
  });
});
