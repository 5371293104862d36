import { type JsonRecord, textAt } from "../../json.ts";
import { revealRecord, UNKNOWN_VALUE } from "../../wire.ts";
import { digest, parseUrn } from "../identity.ts";

/**
 * helm.sh/v3:Release: one resource per chart, whose objects Helm makes. What is in the chart is not looked at: the chart is not
 * fetched.
 */
export const isRelease = (urn: string): boolean => parseUrn(urn).type === "kubernetes:helm.sh/v3:Release";

/** provider/pkg/provider/helm_release.go of pulumi/pulumi-kubernetes. */
export const RELEASE_REPLACES = ["name", "namespace"];

export function checkRelease(urn: string, olds: JsonRecord, news: JsonRecord): JsonRecord {
  return {
    ...news,
    name: news["name"] ?? olds["name"] ?? `${parseUrn(urn).name}-${digest(8, urn)}`,
    namespace: news["namespace"] ?? "default",
  };
}

export const releaseId = (release: JsonRecord): string =>
  `${textAt(release, "namespace") ?? "default"}/${textAt(release, "name") ?? ""}`;

/** Inputs, and what Helm reports. */
export function releaseState(inputs: JsonRecord, preview: boolean): JsonRecord {
  const { chart, name, namespace, version } = revealRecord(inputs);
  const status = {
    chart: chart ?? "",
    name: name ?? "",
    namespace: namespace ?? "",
    version: version ?? "",
    revision: 1,
    status: "deployed",
  };
  return {
    ...inputs,
    status: preview ? UNKNOWN_VALUE : status,
    resourceNames: preview ? UNKNOWN_VALUE : {},
  };
}
