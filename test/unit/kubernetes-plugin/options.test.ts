import { describe, expect, it } from "vitest";
import { checkOptions, diffConfig, readOptions } from "../../../lab/kubernetes-plugin/options.ts";

const never = (): boolean => false;

describe("readOptions", () => {
  it("applies server-side and never deletes what is unreachable, unless told otherwise", () => {
    expect(readOptions({}, {})).toMatchObject({
      serverSideApply: true,
      deleteUnreachable: false,
      upsert: false,
      configMapMutable: false,
    });
  });

  it("takes an input before the environment variable that stands for it", () => {
    const env = { PULUMI_K8S_DELETE_UNREACHABLE: "true" };
    expect(readOptions({}, env).deleteUnreachable).toBe(true);
    expect(readOptions({ deleteUnreachable: "false" }, env).deleteUnreachable).toBe(false);
  });

  it("reads the client's time limit in seconds", () => {
    expect(readOptions({ kubeClientSettings: '{"timeout":5}' }, {}).timeout).toBe(5000);
    expect(readOptions({}, { PULUMI_K8S_CLIENT_TIMEOUT: "7" }).timeout).toBe(7000);
    expect(readOptions({ kubeClientSettings: '{"qps":5}' }, {}).timeout).toBeUndefined();
  });
});

describe("diffConfig", () => {
  const here = { server: "https://one", ca: "a" };
  const there = { server: "https://two", ca: "a" };

  it("updates the provider for new credentials of the same cluster", () => {
    expect(diffConfig({ kubeconfig: "old" }, { kubeconfig: "new" }, [here, here], never)).toEqual({
      diffs: ["kubeconfig"],
      replaces: [],
    });
  });

  it("replaces it for another cluster", () => {
    expect(diffConfig({ kubeconfig: "old" }, { kubeconfig: "new" }, [here, there], never).replaces).toEqual([
      "kubeconfig",
    ]);
  });

  it("believes the program's own cluster identifier instead", () => {
    const olds = { kubeconfig: "old", clusterIdentifier: "lab" };
    expect(diffConfig(olds, { ...olds, kubeconfig: "new" }, [here, there], never).replaces).toEqual([]);
    expect(diffConfig(olds, { ...olds, clusterIdentifier: "prod" }, [here, here], never).replaces).toEqual([
      "clusterIdentifier",
    ]);
  });

  it("replaces it where the new cluster is not known yet", () => {
    const { replaces } = diffConfig(
      { kubeconfig: "old" },
      { kubeconfig: "?" },
      [here, undefined],
      (value) => value === "?",
    );
    expect(replaces).toEqual(["kubeconfig"]);
  });
});

describe("checkOptions", () => {
  it("refuses what the stand-in does not have, and a kubeconfig that is broken JSON", () => {
    expect(checkOptions({ renderYamlToDirectory: "out" })).toHaveLength(1);
    expect(checkOptions({ kubeconfig: '{"clusters": [' })).toHaveLength(1);
    expect(checkOptions({ kubeconfig: "/home/demo/.kube/config", context: "lab" })).toEqual([]);
    expect(checkOptions({ kubeconfig: "{clusters: []}" })).toEqual([]);
  });
});
