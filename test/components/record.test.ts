import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { record } from "../harness/record.ts";

class Shelf extends pulumi.ComponentResource {
  constructor(name: string, seal: boolean, provider: kubernetes.Provider) {
    super("test:index:Shelf", name, { size: 3 }, { providers: [provider] });
    const inside = { parent: this };
    const room = new kubernetes.core.v1.Namespace(`${name}-room`, { metadata: { name: "room" } }, inside);
    const key = new kubernetes.core.v1.Secret(
      `${name}-key`,
      {
        metadata: { name: "key", namespace: room.metadata.name },
        stringData: { pin: pulumi.secret("1234") },
      },
      { ...inside, ignoreChanges: ["stringData"], protect: true, deletedWith: room },
    );
    new kubernetes.core.v1.ConfigMap(
      `${name}-note`,
      { metadata: { name: "note" }, data: {} },
      { ...inside, dependsOn: key },
    );
    if (seal) this.registerOutputs({ room: room.metadata.name });
  }
}

const program =
  (name: string, seal = true) =>
  async () => {
    await Promise.resolve();
    const provider = new kubernetes.Provider("cluster", {});
    new Shelf(name, seal, provider);
    return { place: pulumi.output("here") };
  };

describe("the recorder, which relies on internals of the Pulumi SDK", () => {
  test("sees type, name, parent, provider, dependencies and options of each resource", async () => {
    const graph = await record(program("oak"));
    expect(graph.resources.map(({ name }) => name).sort()).toEqual([
      "cluster",
      "oak",
      "oak-key",
      "oak-note",
      "oak-room",
    ]);
    expect(graph.get("oak-key")).toMatchObject({
      type: "kubernetes:core/v1:Secret",
      custom: true,
      parent: "oak",
      provider: "cluster",
      dependencies: ["oak-room"],
      deletedWith: "oak-room",
      ignoreChanges: ["stringData"],
      protect: true,
    });
    expect(graph.get("oak-note").dependencies).toEqual(["oak-key"]);
    expect(graph.get("oak")).toMatchObject({ custom: false, parent: undefined, inputs: { size: 3 } });
  });

  test("marks secrets", async () => {
    const graph = await record(program("oak"));
    expect(graph.get("oak-key").inputs["stringData"]).toEqual({ secret: { pin: "1234" } });
  });

  test("knows which components were sealed", async () => {
    expect((await record(program("oak"))).sealed).toContain("oak");
    expect((await record(program("pine", false))).sealed).not.toContain("pine");
  });

  test("sees a resource without an explicit provider as such", async () => {
    const graph = await record(() => {
      new kubernetes.core.v1.Namespace("lost", { metadata: { name: "lost" } });
    });
    expect(graph.get("lost").provider).toBeUndefined();
  });

  test("keeps programs that run at the same time apart", async () => {
    const [oak, pine] = await Promise.all([record(program("oak")), record(program("pine"))]);
    expect(oak.resources.filter(({ name }) => name.startsWith("pine"))).toEqual([]);
    expect(pine.resources.filter(({ name }) => name.startsWith("oak"))).toEqual([]);
  });

  test("hands reads what exists, and config what was set", async () => {
    const graph = await record(
      () => ({
        uid: kubernetes.core.v1.Namespace.get("system", "kube-system").metadata.uid,
        colour: new pulumi.Config("paint").require("colour"),
      }),
      {
        config: { "paint:colour": "green" },
        existing: { "kube-system": { metadata: { uid: "6f1c" } } },
      },
    );
    expect(graph.read).toEqual([{ type: "kubernetes:core/v1:Namespace", id: "kube-system" }]);
    expect(graph.outputs).toEqual({ uid: "6f1c", colour: "green" });
  });

  test("throws what the program throws", async () => {
    await expect(
      record(() => {
        throw new Error("no such tree");
      }),
    ).rejects.toThrow("no such tree");
  });

  test("works in preview as in an update", async () => {
    const [preview, update] = await Promise.all([
      record(program("oak"), { preview: true }),
      record(program("oak")),
    ]);
    expect(preview.resources).toEqual(update.resources);
  });
});
