import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { at } from "../../../lab/kubernetes-plugin/json.ts";
import { get, KUBECONFIG, namespace, remove } from "./api.ts";
import { IS_STAND_IN, kubernetes as k8s, openStack, PLUGIN_FOLDER, timed } from "./harness.ts";

type ProviderArgs = NonNullable<ConstructorParameters<typeof k8s.Provider>[1]>;

const withProvider =
  (args: ProviderArgs, ns: string, name = "settings") =>
  async (): Promise<void> => {
    const provider = new k8s.Provider("cluster", args);
    new k8s.core.v1.ConfigMap("settings", { metadata: { namespace: ns, name } }, { provider });
    return Promise.resolve();
  };

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "plugin-contract-files-"));
  onTestFinished(async () => {
    await rm(path, { recursive: true, force: true });
  });
  return path;
}

/** A kubeconfig of a server that nobody runs. */
const NOWHERE = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "nowhere", cluster: { server: "https://127.0.0.1:1" } }],
  users: [{ name: "nobody", user: { token: "none" } }],
  contexts: [{ name: "nowhere", context: { cluster: "nowhere", user: "nobody" } }],
  "current-context": "nowhere",
});

describe("which cluster is meant", () => {
  it("takes a kubeconfig as content, as a path and as a list of paths, and a context by name", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const nowhere = join(await folder(), "nowhere");
    await writeFile(nowhere, NOWHERE);
    const content = await readFile(KUBECONFIG, "utf8");
    const context = /current-context:\s*(\S+)/.exec(content)?.[1] ?? "";
    const kubeconfigs = [content, KUBECONFIG, [nowhere, KUBECONFIG].join(delimiter)];
    await stack.up(withProvider({ kubeconfig: content, context }, ns));
    for (const kubeconfig of kubeconfigs.slice(0, 2))
      expect((await stack.up(withProvider({ kubeconfig, context }, ns))).changes).toEqual({ same: 1 });
    expect(await get(`/api/v1/namespaces/${ns}/configmaps/settings`)).toBeDefined();
    if (IS_STAND_IN) {
      const other = await openStack({ KUBECONFIG: kubeconfigs[2] ?? "" });
      await other.up(withProvider({ context }, ns, "second"));
      expect(await get(`/api/v1/namespaces/${ns}/configmaps/second`)).toBeDefined();
    }
  });

  it("refuses a context that the kubeconfig does not have", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await expect(
      stack.up(withProvider({ kubeconfig: KUBECONFIG, context: "no-such-context" }, ns)),
    ).rejects.toThrow(/no-such-context/);
  });

  it("says that the server refused a token that is wrong, and not that it can't be reached", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const { server, ca } = await serverOf();
    const kubeconfig = JSON.stringify({
      clusters: [{ name: "lab", cluster: { server, "certificate-authority-data": ca } }],
      users: [{ name: "expired", user: { token: "expired" } }],
      contexts: [{ name: "lab", context: { cluster: "lab", user: "expired" } }],
      "current-context": "lab",
    });
    await expect(stack.up(withProvider({ kubeconfig }, ns))).rejects.toThrow(/Unauthorized|credentials/);
  });

  it.runIf(IS_STAND_IN)("names the certificate authority where it is not the server's", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const { server } = await serverOf();
    const kubeconfig = NOWHERE.replace("https://127.0.0.1:1", server);
    await expect(stack.up(withProvider({ kubeconfig }, ns))).rejects.toThrow(/certificate authority/);
  });
});

async function serverOf(): Promise<{ readonly server: string; readonly ca: string }> {
  const text = await readFile(KUBECONFIG, "utf8");
  return {
    server: /server:\s*(\S+)/.exec(text)?.[1] ?? "",
    ca: /certificate-authority-data:\s*(\S+)/.exec(text)?.[1] ?? "",
  };
}

describe("a cluster that does not answer", () => {
  it("fails updates, refreshes and destroys, and never drops a resource from the state by itself", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const reachable = { kubeconfig: KUBECONFIG, clusterIdentifier: "lab" };
    const lost = { kubeconfig: NOWHERE, clusterIdentifier: "lab" };
    await stack.up(withProvider(reachable, ns));
    await expect(stack.up(withProvider(lost, ns, "another-name"))).rejects.toThrow(
      /unreachable|can't be reached/,
    );
    await expect(stack.refresh()).rejects.toThrow(/unreachable/);
    await expect(stack.destroy()).rejects.toThrow(/unreachable/);
    expect((await stack.objects()).length).toBeGreaterThan(0);
    expect(await get(`/api/v1/namespaces/${ns}/configmaps/settings`)).toBeDefined();
  });

  it("drops it from the state where the provider is told to", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await stack.up(withProvider({ kubeconfig: KUBECONFIG, clusterIdentifier: "lab" }, ns));
    await stack
      .up(withProvider({ kubeconfig: NOWHERE, clusterIdentifier: "lab", deleteUnreachable: true }, ns))
      .catch(() => undefined);
    await stack.destroy();
    expect(await stack.objects()).toEqual([]);
    expect(await get(`/api/v1/namespaces/${ns}/configmaps/settings`)).toBeDefined();
  });

  it("fails at once", async () => {
    const stack = await openStack({ KUBECONFIG: NOWHERE });
    const [time] = await timed(stack.up(withProvider({}, "default")).catch(() => undefined));
    expect(time).toBeLessThan(15_000);
  });
});

describe("kinds that the cluster does not have by itself", () => {
  it("makes a definition and an object of it in one update, and removes both", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const group = `${ns}.example.com`;
    onTestFinished(async () => {
      await remove(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/mayflies.${group}`);
    });
    const program = (size: number) => async (): Promise<void> => {
      const definition = new k8s.apiextensions.v1.CustomResourceDefinition("mayflies", {
        metadata: { name: `mayflies.${group}` },
        spec: {
          group,
          scope: "Namespaced",
          names: { plural: "mayflies", singular: "mayfly", kind: "Mayfly" },
          versions: [
            {
              name: "v1",
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: { type: "object", x_kubernetes_preserve_unknown_fields: true },
              },
            },
          ],
        },
      });
      new k8s.apiextensions.CustomResource(
        "one",
        {
          apiVersion: `${group}/v1`,
          kind: "Mayfly",
          metadata: { namespace: ns, name: "one" },
          spec: { size },
        },
        { dependsOn: definition },
      );
      return Promise.resolve();
    };
    const path = `/apis/${group}/v1/namespaces/${ns}/mayflies/one`;
    expect((await stack.preview(program(1))).changes).toEqual({ create: 2 });
    await stack.up(program(1));
    expect((await stack.up(program(1))).changes).toEqual({ same: 2 });
    await stack.up(program(2));
    expect(at(await get(path), "spec", "size")).toBe(2);
    await stack.destroy();
    expect(await get(path)).toBeUndefined();
  });

  it("says that a definition is missing", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await expect(
      stack.up(async () => {
        new k8s.apiextensions.CustomResource("one", {
          apiVersion: "nobody.example.com/v1",
          kind: "Nothing",
          metadata: { namespace: ns, name: "one" },
        });
        return Promise.resolve();
      }),
    ).rejects.toThrow(/CRDs|CustomResourceDefinitions/);
  });
});

describe("inputs that can't work", () => {
  it("refuses a list of objects", async () => {
    const stack = await openStack();
    await expect(
      stack.preview(async () => {
        new k8s.core.v1.ConfigMapList("all", { items: [] });
        return Promise.resolve();
      }),
    ).rejects.toThrow(/cannot be created directly/);
  });

  it("refuses a label that is no text", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const labels = JSON.parse('{"version": 3}') as Record<string, string>;
    await expect(
      stack.up(async () => {
        new k8s.core.v1.ConfigMap("settings", { metadata: { namespace: ns, labels } });
        return Promise.resolve();
      }),
    ).rejects.toThrow(/labels/);
  });

  it.runIf(IS_STAND_IN)("says that charts are not supported by the stand-in", async () => {
    const stack = await openStack();
    await expect(
      stack.preview(async () => {
        new k8s.helm.v3.Release("chart", { chart: "anything" });
        return Promise.resolve();
      }),
    ).rejects.toThrow(/helm.*not supported by Mayfly's stand-in/);
  });
});

describe("names that the project configures", () => {
  it("uses the resource's name as it is where automatic names are verbatim", async () => {
    const ns = await namespace();
    const stack = await openStack({}, { "pulumi:autonaming": { mode: "verbatim" } });
    await stack.up(async () => {
      new k8s.core.v1.ConfigMap("settings", { metadata: { namespace: ns } });
      return Promise.resolve();
    });
    expect((await stack.objects()).map(({ id }) => id)).toEqual([`${ns}/settings`]);
  });
});

describe("what a stack keeps", () => {
  it("lays the state out so that the official plugin and the stand-in can take turns", async () => {
    const ns = await namespace();
    const stack = await openStack();
    await stack.up(withProvider({ kubeconfig: KUBECONFIG }, ns));
    const [state] = await stack.objects();
    expect(state?.id).toBe(`${ns}/settings`);
    expect(at(state?.outputs, "__initialApiVersion")).toBe("v1");
    expect(at(state?.outputs, "__fieldManager")).toMatch(/^pulumi-kubernetes-[0-9a-f]{8}$/);
    expect(at(state?.outputs, "__inputs", "metadata", "name")).toBe("settings");
    expect(at(state?.outputs, "__inputs", "kind")).toBe("ConfigMap");
  });
});

describe.runIf(IS_STAND_IN)("the stand-in", () => {
  it("names itself on each use", async () => {
    const ns = await namespace();
    const stack = await openStack();
    const { diagnostics } = await stack.up(withProvider({ kubeconfig: KUBECONFIG }, ns));
    expect(diagnostics).toContain("Mayfly's stand-in provider plugin");
    expect((await stack.destroy()).diagnostics).toContain("Mayfly's stand-in provider plugin");
  });

  it("runs through a link", async () => {
    const ns = await namespace();
    const links = await folder();
    await symlink(
      join(PLUGIN_FOLDER, "pulumi-resource-kubernetes"),
      join(links, "pulumi-resource-kubernetes"),
    );
    const path = [links, join(process.execPath, ".."), "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter);
    const stack = await openStack({ PATH: path });
    await stack.up(withProvider({ kubeconfig: KUBECONFIG }, ns));
    expect(await get(`/api/v1/namespaces/${ns}/configmaps/settings`)).toBeDefined();
  });
});
