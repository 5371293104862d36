import { describe, expect, it } from "vitest";
import { at } from "../../../lab/kubernetes-plugin/json.ts";
import { CONTAINER, get, mergePatch, namespace, POD, post, remove } from "./api.ts";
import { kubernetes as k8s, openStack } from "./harness.ts";

const SKIP = { "pulumi.com/skipAwait": "true" };
const configMap = (ns: string, name: string): string => `/api/v1/namespaces/${ns}/configmaps/${name}`;

describe("the life of objects", () => {
  it("makes eight kinds of object, finds nothing to do on a second update and a refresh, and removes them", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const metadata = { namespace: ns };
    const program = async (): Promise<void> => {
      new k8s.core.v1.ConfigMap("settings", { metadata, data: { mode: "fast" } });
      new k8s.core.v1.Secret("login", { metadata, stringData: { user: "demo" } });
      new k8s.core.v1.ServiceAccount("runner", { metadata, automountServiceAccountToken: false });
      new k8s.core.v1.ResourceQuota("quota", {
        metadata,
        spec: { hard: { pods: "10", "requests.cpu": "2000m" } },
      });
      new k8s.core.v1.Service("peers", { metadata, spec: { clusterIP: "None", ports: [{ port: 7077 }] } });
      new k8s.networking.v1.NetworkPolicy("deny", {
        metadata,
        spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
      });
      new k8s.batch.v1.Job("driver", {
        metadata: { ...metadata, annotations: SKIP },
        spec: { template: { spec: { ...POD, restartPolicy: "Never" } } },
      });
      new k8s.apps.v1.StatefulSet("worker", {
        metadata: { ...metadata, annotations: SKIP },
        spec: {
          serviceName: "peers",
          selector: { matchLabels: { role: "worker" } },
          template: {
            metadata: { labels: { role: "worker" } },
            spec: {
              ...POD,
              containers: [{ ...CONTAINER, resources: { limits: { cpu: "1000m" } } }],
            },
          },
        },
      });
      return Promise.resolve();
    };
    expect((await stack.up(program)).changes).toEqual({ create: 8 });
    expect((await stack.up(program)).changes).toEqual({ same: 8 });
    await stack.refresh();
    expect((await stack.up(program)).changes).toEqual({ same: 8 });
    const objects = await stack.objects();
    expect(objects).toHaveLength(8);
    await stack.destroy();
    expect(await stack.objects()).toEqual([]);
    for (const { id } of objects.filter(({ type }) => type.endsWith(":ConfigMap")))
      expect(await get(configMap(ns, id?.split("/")[1] ?? ""))).toBeUndefined();
  });

  it("names an object after its resource, with eight hex digits, and keeps that name", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const program = (label: string) => async (): Promise<object> => {
      const made = new k8s.core.v1.ConfigMap("settings", { metadata: { namespace: ns, labels: { label } } });
      return Promise.resolve({ name: made.metadata.name, uid: made.metadata.uid });
    };
    const first = await stack.up(program("one"));
    expect(first.outputs["name"]).toMatch(/^settings-[0-9a-f]{8}$/);
    const second = await stack.up(program("two"));
    expect(second.outputs).toEqual(first.outputs);
    const [state] = await stack.objects();
    expect(state?.id).toBe(`${ns}/${String(first.outputs["name"])}`);
    expect(at(state?.outputs, "metadata", "annotations", "pulumi.com/autonamed")).toBe("true");
  });

  it("changes an object in place and takes back the fields that the program drops", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const program = (labels: Record<string, string>) => async (): Promise<object> => {
      const made = new k8s.core.v1.ConfigMap("settings", {
        metadata: { namespace: ns, name: "settings", labels },
      });
      return Promise.resolve({ uid: made.metadata.uid });
    };
    const first = await stack.up(program({ keep: "1", drop: "1" }));
    const second = await stack.up(program({ keep: "2" }));
    expect(second.changes).toEqual({ update: 1 });
    expect(second.outputs).toEqual(first.outputs);
    const live = await get(configMap(ns, "settings"));
    expect(at(live, "metadata", "labels")).toEqual({ keep: "2" });
    expect(JSON.stringify(at(live, "metadata", "managedFields"))).toMatch(
      /"manager":"pulumi-kubernetes-[0-9a-f]{8}"/,
    );
  });

  it("replaces a ConfigMap whose data changes: new one first where it names it, old one first where the program does", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const program = (mode: string) => async (): Promise<void> => {
      new k8s.core.v1.ConfigMap("automatic", { metadata: { namespace: ns }, data: { mode } });
      new k8s.core.v1.ConfigMap("named", { metadata: { namespace: ns, name: "named" }, data: { mode } });
      return Promise.resolve();
    };
    await stack.up(program("slow"));
    const before = (await stack.objects()).map(({ id }) => id);
    const { changes } = await stack.up(program("fast"));
    expect(changes["replace"]).toBe(2);
    const after = (await stack.objects()).map(({ id }) => id);
    expect(after).toContain(`${ns}/named`);
    expect(after.filter((id) => before.includes(id))).toEqual([`${ns}/named`]);
    expect(at(await get(configMap(ns, "named")), "data", "mode")).toBe("fast");
  });

  it("changes ConfigMap data in place where the provider says that it may", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const program = (mode: string) => async (): Promise<object> => {
      const provider = new k8s.Provider("cluster", { enableConfigMapMutable: true, namespace: ns });
      const made = new k8s.core.v1.ConfigMap("settings", { data: { mode } }, { provider });
      return Promise.resolve({ uid: made.metadata.uid, namespace: made.metadata.namespace });
    };
    const first = await stack.up(program("slow"));
    expect(first.outputs["namespace"]).toBe(ns);
    const second = await stack.up(program("fast"));
    expect(second.changes).toEqual({ update: 1 });
    expect(second.outputs).toEqual(first.outputs);
  });

  it("replaces an object that moves to another namespace", async () => {
    const [from, to] = [await namespace(), await namespace()];
    const stack = await openStack();
    const program = (ns: string) => async (): Promise<void> => {
      new k8s.core.v1.ServiceAccount("runner", { metadata: { namespace: ns, name: "runner" } });
      return Promise.resolve();
    };
    await stack.up(program(from));
    expect((await stack.up(program(to))).changes["replace"]).toBe(1);
    expect(await get(`/api/v1/namespaces/${from}/serviceaccounts/runner`)).toBeUndefined();
    expect(await get(`/api/v1/namespaces/${to}/serviceaccounts/runner`)).toBeDefined();
  });

  it("makes nothing in a preview, and shows there what the server would refuse", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const program = (port: number) => async (): Promise<void> => {
      new k8s.core.v1.Service("web", {
        metadata: { namespace: ns, name: "web" },
        spec: { clusterIP: "None", ports: [{ port }] },
      });
      return Promise.resolve();
    };
    expect((await stack.preview(program(80))).changes).toEqual({ create: 1 });
    expect(await get(`/api/v1/namespaces/${ns}/services/web`)).toBeUndefined();
    await expect(stack.preview(program(70_000))).rejects.toThrow(/spec\.ports\[0\]\.port.*65535/s);
  });

  it("previews an object whose namespace is made by the same update", async () => {
    const stack = await openStack();
    const program = async (): Promise<void> => {
      const ns = new k8s.core.v1.Namespace("home", { metadata: { name: "plugin-contract-preview-only" } });
      new k8s.core.v1.ConfigMap("settings", {
        metadata: { namespace: ns.metadata.name },
        data: { namespaceUid: ns.metadata.uid },
      });
      return Promise.resolve();
    };
    expect((await stack.preview(program)).changes).toEqual({ create: 2 });
  });
});

describe("objects that somebody else touches", () => {
  it("refuses to create what exists already, and leaves it as it is", async () => {
    const ns = await namespace();
    await post(`/api/v1/namespaces/${ns}/configmaps`, {
      metadata: { name: "taken" },
      data: { of: "somebody" },
    });
    const stack = await openStack();
    const program = (upsertExistingObjects: boolean) => async (): Promise<void> => {
      const provider = new k8s.Provider("cluster", { upsertExistingObjects, enablePatchForce: true });
      new k8s.core.v1.ConfigMap(
        "taken",
        { metadata: { namespace: ns, name: "taken" }, data: { of: "us" } },
        { provider },
      );
      return Promise.resolve();
    };
    await expect(stack.up(program(false))).rejects.toThrow(/already exists/);
    expect(await stack.objects()).toEqual([]);
    expect(at(await get(configMap(ns, "taken")), "data", "of")).toBe("somebody");
    await stack.up(program(true));
    expect(at(await get(configMap(ns, "taken")), "data", "of")).toBe("us");
  });

  it("finds drift by a refresh, and the next update undoes it", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const program = async (): Promise<void> => {
      const labels = { tier: "gold", team: "blue" };
      new k8s.core.v1.ConfigMap("settings", { metadata: { namespace: ns, name: "settings", labels } });
      return Promise.resolve();
    };
    await stack.up(program);
    await mergePatch(configMap(ns, "settings"), { metadata: { labels: { tier: null, other: "tool" } } });
    expect((await stack.up(program)).changes).toEqual({ same: 1 });
    await stack.refresh();
    expect((await stack.up(program)).changes).toEqual({ update: 1 });
    // What the program never set belongs to somebody else.
    const labels = at(await get(configMap(ns, "settings")), "metadata", "labels");
    expect(labels).toEqual({ tier: "gold", team: "blue", other: "tool" });
  });

  it("drops what was deleted outside from the state, and makes it again", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const program = async (): Promise<void> => {
      new k8s.core.v1.ConfigMap("settings", { metadata: { namespace: ns, name: "settings" } });
      return Promise.resolve();
    };
    await stack.up(program);
    await remove(configMap(ns, "settings"));
    await stack.refresh();
    expect(await stack.objects()).toEqual([]);
    expect((await stack.up(program)).changes).toEqual({ create: 1 });
    await remove(configMap(ns, "settings"));
    await stack.destroy();
    expect(await stack.objects()).toEqual([]);
  });

  it("imports an object by its id, and reads one that it does not manage", async () => {
    const ns = await namespace();
    for (const name of ["adopted", "read"])
      await post(`/api/v1/namespaces/${ns}/configmaps`, { metadata: { name }, data: { name } });
    const stack = await openStack();
    const program = async (): Promise<object> => {
      const read = k8s.core.v1.ConfigMap.get("read", `${ns}/read`);
      new k8s.core.v1.ConfigMap(
        "adopted",
        { metadata: { namespace: ns, name: "adopted" }, data: { name: "adopted" } },
        { import: `${ns}/adopted` },
      );
      return Promise.resolve({ read: read.data });
    };
    const { outputs } = await stack.up(program);
    expect(outputs["read"]).toEqual({ name: "read" });
    expect((await stack.up(program)).changes).toMatchObject({ same: 1 });
    await stack.destroy();
    expect(await get(configMap(ns, "adopted"))).toBeUndefined();
    expect(await get(configMap(ns, "read"))).toBeDefined();
  });

  it("fails to import what is not there", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await expect(
      stack.up(async () => {
        new k8s.core.v1.ConfigMap(
          "ghost",
          { metadata: { namespace: ns, name: "ghost" } },
          { import: `${ns}/ghost` },
        );
        return Promise.resolve();
      }),
    ).rejects.toThrow(/does not exist/);
  });
});

describe("secrets", () => {
  it("never leaves the data of a Secret in clear text in the state", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const password = "correct-horse-battery";
    await stack.up(async () => {
      new k8s.core.v1.Secret("login", {
        metadata: { namespace: ns, name: "login" },
        stringData: { password },
        data: { other: Buffer.from(password).toString("base64") },
      });
      return Promise.resolve();
    });
    await stack.refresh();
    const text = await stack.stateText();
    expect(text).not.toContain(password);
    expect(text).not.toContain(Buffer.from(password).toString("base64"));
    const live = await get(`/api/v1/namespaces/${ns}/secrets/login`);
    expect(at(live, "data", "password")).toBe(Buffer.from(password).toString("base64"));
  });
});
