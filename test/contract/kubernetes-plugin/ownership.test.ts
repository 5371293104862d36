import { describe, expect, it } from "vitest";
import { at } from "../../../lab/kubernetes-plugin/json.ts";
import { applyAs, get, mergePatch, namespace, post } from "./api.ts";
import { kubernetes as k8s, openStack } from "./harness.ts";

const path = (ns: string): string => `/api/v1/namespaces/${ns}/configmaps/shared`;
const owned = (ns: string, data: Record<string, string>): Parameters<typeof applyAs>[2] => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "shared", namespace: ns, labels: data },
});

describe("fields that several managers want", () => {
  const program =
    (ns: string, tier: string, annotations: Record<string, string> = {}, ignoreChanges: string[] = []) =>
    async (): Promise<void> => {
      new k8s.core.v1.ConfigMap(
        "shared",
        {
          metadata: {
            namespace: ns,
            name: "shared",
            labels: { tier },
            annotations: { from: "program", ...annotations },
          },
        },
        { ignoreChanges },
      );
      return Promise.resolve();
    };

  it("reports a conflict with the other manager's name and the field, and changes nothing", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await stack.up(program(ns, "gold"));
    await applyAs("tier-controller", path(ns), owned(ns, { tier: "lead" }));
    await expect(stack.up(program(ns, "silver"))).rejects.toThrow(
      /conflict[\s\S]*tier-controller[\s\S]*\.metadata\.labels\.tier/,
    );
    expect(at(await get(path(ns)), "metadata", "labels", "tier")).toBe("lead");
  });

  it("takes the field over where the resource is annotated so", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await stack.up(program(ns, "gold"));
    await applyAs("tier-controller", path(ns), owned(ns, { tier: "lead" }));
    await stack.up(program(ns, "silver", { "pulumi.com/patchForce": "true" }));
    expect(at(await get(path(ns)), "metadata", "labels", "tier")).toBe("silver");
  });

  it("leaves a field alone that the program ignores", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await stack.up(program(ns, "gold", {}, ["metadata.labels.tier"]));
    await applyAs("tier-controller", path(ns), owned(ns, { tier: "lead" }));
    await stack.up(program(ns, "silver", { note: "another change" }, ["metadata.labels.tier"]));
    const live = await get(path(ns));
    expect(at(live, "metadata", "labels", "tier")).toBe("lead");
    expect(at(live, "metadata", "annotations", "note")).toBe("another change");
  });

  it("owns only its own fields of somebody else's object with a Patch resource, and gives them back", async () => {
    const ns = await namespace();
    await post(`/api/v1/namespaces/${ns}/configmaps`, {
      metadata: { name: "shared" },
      data: { theirs: "1" },
    });
    const stack = await openStack();
    await stack.up(async () => {
      new k8s.core.v1.ConfigMapPatch("shared", {
        metadata: { namespace: ns, name: "shared" },
        data: { ours: "1" },
      });
      return Promise.resolve();
    });
    expect(at(await get(path(ns)), "data")).toEqual({ theirs: "1", ours: "1" });
    await mergePatch(path(ns), { data: { later: "1" } });
    await stack.destroy();
    expect(at(await get(path(ns)), "data")).toEqual({ theirs: "1", later: "1" });
  });

  it("uses the field manager that an annotation names", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await stack.up(program(ns, "gold", { "pulumi.com/patchFieldManager": "our-team" }));
    expect(JSON.stringify(at(await get(path(ns)), "metadata", "managedFields"))).toContain(
      '"manager":"our-team"',
    );
    const [state] = await stack.objects();
    expect(at(state?.outputs, "__fieldManager")).toBe("our-team");
  });
});
