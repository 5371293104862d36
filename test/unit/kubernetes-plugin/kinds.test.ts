import { describe, expect, it } from "vitest";
import { builtinEndpoint, pathOf } from "../../../lab/kubernetes-plugin/kinds.ts";

const path = (apiVersion: string, kind: string, namespace?: string, name?: string): string | undefined => {
  const endpoint = builtinEndpoint(apiVersion, kind);
  return endpoint === undefined ? undefined : pathOf(endpoint, namespace, name);
};

describe("the API paths of kinds that every cluster has", () => {
  it.each([
    ["v1", "ConfigMap", "/api/v1/namespaces/shop/configmaps/one"],
    ["v1", "Endpoints", "/api/v1/namespaces/shop/endpoints/one"],
    ["v1", "Namespace", "/api/v1/namespaces/one"],
    ["apps/v1", "StatefulSet", "/apis/apps/v1/namespaces/shop/statefulsets/one"],
    [
      "networking.k8s.io/v1",
      "NetworkPolicy",
      "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/one",
    ],
    ["networking.k8s.io/v1", "Ingress", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/one"],
    ["networking.k8s.io/v1", "IngressClass", "/apis/networking.k8s.io/v1/ingressclasses/one"],
    ["scheduling.k8s.io/v1", "PriorityClass", "/apis/scheduling.k8s.io/v1/priorityclasses/one"],
    ["policy/v1", "PodDisruptionBudget", "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/one"],
    ["rbac.authorization.k8s.io/v1", "ClusterRole", "/apis/rbac.authorization.k8s.io/v1/clusterroles/one"],
  ])("%s %s is at %s", (apiVersion, kind, expected) => {
    expect(path(apiVersion, kind, "shop", "one")).toBe(expected);
  });

  it("uses the default namespace where none is given, and no name for the whole collection", () => {
    expect(path("v1", "Pod")).toBe("/api/v1/namespaces/default/pods");
  });

  it("knows nothing of other kinds", () => {
    expect(builtinEndpoint("example.com/v1", "Mayfly")).toBeUndefined();
    expect(builtinEndpoint("apps/v1", "ConfigMap")).toBeUndefined();
  });
});
