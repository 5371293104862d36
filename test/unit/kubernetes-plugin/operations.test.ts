import { describe, expect, it } from "vitest";
import { check } from "../../../lab/kubernetes-plugin/check.ts";
import type { Cluster } from "../../../lab/kubernetes-plugin/cluster.ts";
import { create } from "../../../lab/kubernetes-plugin/create.ts";
import { remove } from "../../../lab/kubernetes-plugin/delete.ts";
import { ApiError, NoKindError, UnreachableError } from "../../../lab/kubernetes-plugin/errors.ts";
import type { JsonRecord } from "../../../lab/kubernetes-plugin/json.ts";
import { type Options, readOptions } from "../../../lab/kubernetes-plugin/options.ts";
import { planDiff } from "../../../lab/kubernetes-plugin/plan.ts";
import { read } from "../../../lab/kubernetes-plugin/read.ts";
import type { Session } from "../../../lab/kubernetes-plugin/session.ts";
import { saveCheckpoint } from "../../../lab/kubernetes-plugin/state.ts";
import { update } from "../../../lab/kubernetes-plugin/update.ts";
import type { Properties } from "../../../lab/kubernetes-plugin/wire.ts";
import { fakeCluster } from "./fake-cluster.ts";

const URN = "urn:pulumi:dev::shop::kubernetes:core/v1:ConfigMap::settings";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const OBJECT = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: "shop" },
  data: { mode: "fast" },
};
const of = (value: JsonRecord): Properties => ({ value, secrets: [] });
const exists = new ApiError(409, {
  reason: "AlreadyExists",
  message: 'configmaps "settings" already exists',
});

function session(
  cluster: Partial<Cluster>,
  options: Partial<Options> = {},
): Session & { readonly said: string[] } {
  const said: string[] = [];
  const say = (text: string): void => {
    said.push(text);
  };
  return {
    options: { ...readOptions({}, {}), ...options },
    mutability: { configMaps: false, secrets: false },
    log: { info: say, warning: say, status: say },
    cancel: new AbortController().signal,
    defaultNamespace: () => Promise.resolve("shop"),
    cluster: () => Promise.resolve(fakeCluster(cluster)),
    close: () => undefined,
    said,
  };
}

const state = (value: JsonRecord = OBJECT): Properties =>
  saveCheckpoint({
    inputs: value,
    live: value,
    secrets: [],
    fieldManager: "pulumi-kubernetes-01234567",
    initialApiVersion: "v1",
  });

describe("check", () => {
  const checked = async (value: JsonRecord, urn = URN, olds: JsonRecord = {}) =>
    await check(session({}), {
      urn,
      olds: of(olds),
      news: of(value),
      seed: new Uint8Array([1]),
      autonaming: undefined,
    });

  it("completes an object with its type, name and namespace", async () => {
    const { inputs, failures } = await checked({ data: { mode: "fast" } });
    expect(inputs.value).toMatchObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: "shop" },
    });
    expect(failures).toEqual([]);
  });

  it("gives no namespace to what has none", async () => {
    const { inputs } = await checked({}, "urn:pulumi:dev::shop::kubernetes:core/v1:Namespace::home");
    expect(inputs.value["metadata"]).not.toHaveProperty("namespace");
  });

  it("names each input that can't work", async () => {
    const { failures } = await checked({
      metadata: { name: "a/b", labels: { version: 3 }, annotations: { "pulumi.com/waitFor": "soon" } },
    });
    expect(failures.map(({ property }) => property)).toEqual([
      "metadata.name",
      'metadata.labels["version"]',
      'metadata.annotations["pulumi.com/waitFor"]',
    ]);
  });

  it("takes values that are not known yet", async () => {
    const metadata = { name: UNKNOWN, namespace: UNKNOWN, labels: { version: UNKNOWN } };
    expect((await checked({ metadata })).failures).toEqual([]);
  });

  it("refuses lists, and a Patch resource without a name", async () => {
    const list = "urn:pulumi:dev::shop::kubernetes:core/v1:ConfigMapList::all";
    await expect(checked({ items: [] }, list)).rejects.toThrow("cannot be created directly");
    const patch = "urn:pulumi:dev::shop::kubernetes:core/v1:ConfigMapPatch::settings";
    await expect(checked({}, patch)).rejects.toThrow("require the `.metadata.name` field");
  });

  it("says that charts are not supported, and by whom", async () => {
    await expect(checked({}, "urn:pulumi:dev::shop::kubernetes:helm.sh/v3:Release::chart")).rejects.toThrow(
      "kubernetes:helm.sh/v3:Release is not supported by Mayfly's stand-in",
    );
  });
});

describe("diff", () => {
  const plan = async (news: JsonRecord, options: { urn?: string; ignoreChanges?: string[] } = {}) =>
    await planDiff(session({}), { urn: URN, olds: state(), news: of(news), ignoreChanges: [], ...options });

  it("finds nothing where nothing changed", async () => {
    expect(await plan(OBJECT)).toEqual({ changes: [], replaces: [], deleteBeforeReplace: false });
  });

  it("deletes the old object first where the new one must have its name", async () => {
    const { replaces, deleteBeforeReplace } = await plan({ ...OBJECT, data: { mode: "slow" } });
    expect(replaces).toEqual(["data.mode"]);
    expect(deleteBeforeReplace).toBe(true);
  });

  it("makes the new object first where it has another name or namespace", async () => {
    const renamed = await plan({ ...OBJECT, metadata: { ...OBJECT.metadata, name: "other" } });
    expect(renamed).toMatchObject({ replaces: ["metadata.name"], deleteBeforeReplace: false });
    const moved = await plan({ ...OBJECT, metadata: { ...OBJECT.metadata, namespace: "other" } });
    expect(moved).toMatchObject({ replaces: ["metadata.namespace"], deleteBeforeReplace: false });
  });

  it("changes a Patch resource in place, whatever it sets", async () => {
    const urn = URN.replace(":ConfigMap", ":ConfigMapPatch");
    expect((await plan({ ...OBJECT, data: { mode: "slow" } }, { urn })).replaces).toEqual([]);
  });

  it("leaves out what the program ignores", async () => {
    expect((await plan({ ...OBJECT, data: {} }, { ignoreChanges: ["data"] })).changes).toEqual([]);
  });
});

describe("create", () => {
  const request = { urn: URN, properties: of(OBJECT), timeout: 0, preview: false };

  it("keeps the live object, the inputs and the field manager", async () => {
    const made = await create(
      session({ create: () => Promise.resolve({ object: { ...OBJECT, extra: 1 }, warnings: ["careful"] }) }),
      request,
    );
    expect(made.id).toBe("shop/settings");
    expect(made.properties.value).toMatchObject({ extra: 1, __inputs: OBJECT });
  });

  it("shows what the server warns of", async () => {
    const current = session({
      create: () => Promise.resolve({ object: OBJECT, warnings: ['unknown field "spec.foo"'] }),
    });
    await create(current, request);
    expect(current.said).toContain('unknown field "spec.foo"');
  });

  it("says how to go on where the object exists already", async () => {
    const current = session({ create: () => Promise.reject(exists), get: () => Promise.resolve(OBJECT) });
    await expect(create(current, request)).rejects.toThrow(
      /already exists[\s\S]*`import`[\s\S]*upsertExistingObjects/,
    );
  });

  it("takes an object for its own that it made before the connection broke", async () => {
    let manager = "";
    const current = session({
      create: (_, __, writing) => {
        manager = writing.manager;
        return Promise.reject(exists);
      },
      get: () =>
        Promise.resolve({ ...OBJECT, metadata: { ...OBJECT.metadata, managedFields: [{ manager }] } }),
    });
    expect((await create(current, request)).id).toBe("shop/settings");
  });

  it("waits for a namespace that is still to come", async () => {
    const missing = new ApiError(404, { reason: "NotFound", details: { kind: "namespaces", name: "shop" } });
    let tries = 0;
    const current = session({
      create: () =>
        ++tries < 3 ? Promise.reject(missing) : Promise.resolve({ object: OBJECT, warnings: [] }),
    });
    await create(current, request);
    expect(tries).toBe(3);
  });

  it.each([
    ["values that are not known yet", {}, { ...OBJECT, data: { mode: UNKNOWN } }],
    ["a cluster that is away", { create: () => Promise.reject(new UnreachableError("away")) }, OBJECT],
    ["a kind that is still to come", { create: () => Promise.reject(new NoKindError("none")) }, OBJECT],
    ["missing rights", { create: () => Promise.reject(new ApiError(403, { reason: "Forbidden" })) }, OBJECT],
    ["an object that the same update replaces", { create: () => Promise.reject(exists) }, OBJECT],
  ])("previews the program's own inputs in the face of %s", async (_, cluster, object) => {
    const properties = of(object);
    expect(await create(session(cluster), { ...request, properties, preview: true })).toEqual({
      id: "",
      properties,
    });
  });
});

describe("update", () => {
  const conflict = new ApiError(409, {
    reason: "Conflict",
    message: "Apply failed with 1 conflict",
    details: {
      causes: [
        {
          reason: "FieldManagerConflict",
          message: 'conflict with "tier-controller" using v1',
          field: ".data.mode",
        },
      ],
    },
  });
  const request = {
    urn: URN,
    olds: state(),
    news: of({ ...OBJECT, data: { mode: "slow" } }),
    timeout: 0,
    preview: false,
    ignoreChanges: [],
  };

  it("applies under the manager of the state, without force", async () => {
    const calls: unknown[] = [];
    const current = session({
      get: () => Promise.resolve(OBJECT),
      apply: (_, body, writing) => {
        calls.push(writing);
        return Promise.resolve({ object: body, warnings: [] });
      },
    });
    const next = await update(current, request);
    expect(calls).toEqual([{ manager: "pulumi-kubernetes-01234567", dryRun: false, force: false }]);
    expect(next.value).toMatchObject({
      data: { mode: "slow" },
      __fieldManager: "pulumi-kubernetes-01234567",
    });
  });

  it("names the other manager and the field of a conflict, and the way out", async () => {
    const current = session({ get: () => Promise.resolve(OBJECT), apply: () => Promise.reject(conflict) });
    await expect(update(current, request)).rejects.toThrow(
      /\.data\.mode: conflict with "tier-controller"[\s\S]*patchForce/,
    );
  });

  it("tells to refresh where the object is gone", async () => {
    const current = session({ get: () => Promise.reject(new ApiError(404, { reason: "NotFound" })) });
    await expect(update(current, request)).rejects.toThrow("pulumi refresh");
  });

  it("sends a merge patch where server-side apply is off", async () => {
    const patches: unknown[] = [];
    const current = session(
      {
        patch: (_, patch) => {
          patches.push(patch);
          return Promise.resolve({ object: OBJECT, warnings: [] });
        },
      },
      { serverSideApply: false },
    );
    await update(current, request);
    expect(patches).toEqual([{ data: { mode: "slow" } }]);
  });
});

describe("a cluster that does not answer", () => {
  const away = {
    get: () => Promise.reject(new UnreachableError("away")),
    delete: () => Promise.reject(new UnreachableError("away")),
  };
  const reading = { id: "shop/settings", urn: URN, properties: state(), inputs: of(OBJECT) };
  const deleting = { id: "shop/settings", urn: URN, properties: state(), timeout: 0 };

  it("fails a refresh and a delete", async () => {
    await expect(read(session(away), reading)).rejects.toThrow("unreachable");
    await expect(remove(session(away), deleting)).rejects.toThrow("unreachable");
  });

  it("drops the resource only where the provider says so", async () => {
    const options = { deleteUnreachable: true };
    expect(await read(session(away, options), reading)).toBeUndefined();
    await remove(session(away, options), deleting);
  });

  it("leaves the resource as it is where the provider says that", async () => {
    expect(await read(session(away, { skipUpdateUnreachable: true }), reading)).toEqual(reading);
  });

  it("is not what a refused login is", async () => {
    const refused = { get: () => Promise.reject(new ApiError(401, { message: "Unauthorized" })) };
    await expect(read(session(refused, { deleteUnreachable: true }), reading)).rejects.toThrow(
      "Unauthorized",
    );
  });
});

describe("delete", () => {
  const request = { id: "shop/settings", urn: URN, properties: state(), timeout: 0 };

  it("is done where the object or its kind is gone already", async () => {
    await remove(
      session({ delete: () => Promise.reject(new ApiError(404, { reason: "NotFound" })) }),
      request,
    );
    await remove(session({ endpoint: () => Promise.reject(new NoKindError("none")) }), request);
    await remove(session({ delete: () => Promise.resolve(undefined) }), request);
  });

  it("passes the propagation that the object asks for", async () => {
    const asked: string[] = [];
    const current = session({
      delete: (_, propagation) => {
        asked.push(propagation);
        return Promise.resolve(undefined);
      },
    });
    const annotated = (value: string): Properties =>
      state({
        ...OBJECT,
        metadata: { ...OBJECT.metadata, annotations: { "pulumi.com/deletionPropagationPolicy": value } },
      });
    await remove(current, request);
    await remove(current, { ...request, properties: annotated("orphan") });
    await remove(current, { ...request, properties: annotated("background") });
    expect(asked).toEqual(["Foreground", "Orphan", "Background"]);
  });
});
