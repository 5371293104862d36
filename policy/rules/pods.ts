import { type ContainerView, containersOf, hasPods, type PodView, podsOf } from "../pods.ts";
import { isProduction, MARK } from "../resource.ts";
import type { Problem, ResourceRule } from "../rule.ts";
import { isAbsent, isUnknown, items, read, texts } from "../values.ts";

/** Namespaces of what makes a cluster a cluster: agents there need the host. Everybody else's pods don't. */
export const SYSTEM_NAMESPACES: readonly string[] = [
  "kube-system",
  "calico-system",
  "tigera-operator",
  "mayfly-system",
];

const PERSISTENT_VOLUME = "kubernetes:core/v1:PersistentVolume";

export const noHostAccess: ResourceRule = {
  scope: "resource",
  name: "no-host-access",
  description: `Keep pods apart from their node: no host namespaces, paths or ports, nothing privileged, no capability added; only ${SYSTEM_NAMESPACES.join(", ")} may.`,
  url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
  judges: (resource) => hasPods(resource) || resource.type === PERSISTENT_VOLUME,
  check: (resource) => {
    if (resource.type === PERSISTENT_VOLUME)
      return isAbsent(read(resource.props, "spec", "hostPath")) ||
        isUnknown(read(resource.props, "spec", "hostPath"))
        ? []
        : [{ path: "spec.hostPath", message: "gives a folder of the node to whoever claims the volume" }];
    const namespace = read(resource.props, "metadata", "namespace");
    if (isUnknown(namespace) || (typeof namespace === "string" && SYSTEM_NAMESPACES.includes(namespace)))
      return [];
    return podsOf(resource).flatMap((pod) => [
      ...hostNamespaces(pod),
      ...hostPaths(pod),
      ...containersOf(pod).flatMap((container) => containerRights(container, pod.partial)),
    ]);
  },
};

const hostNamespaces = ({ spec, path }: PodView): readonly Problem[] =>
  ["hostNetwork", "hostPID", "hostIPC"].flatMap((field) =>
    read(spec, field) === true ? [{ path: `${path}.${field}`, message: "is on" }] : [],
  );

const hostPaths = ({ spec, path }: PodView): readonly Problem[] =>
  items(read(spec, "volumes")).flatMap(({ item, index }) => {
    const hostPath = read(item, "hostPath");
    return isAbsent(hostPath) || isUnknown(hostPath)
      ? []
      : [{ path: `${path}.volumes[${index}].hostPath`, message: "mounts a folder of the node" }];
  });

function containerRights({ container, path, name }: ContainerView, partial: boolean): readonly Problem[] {
  const problems: Problem[] = [];
  const found = (field: string, message: string): void => {
    problems.push({ path: `${path}.${field}`, message: `${message} (container ${name})` });
  };
  const security = read(container, "securityContext");
  if (read(security, "privileged") === true) found("securityContext.privileged", "is on");
  const escalation = read(security, "allowPrivilegeEscalation");
  const mayEscalate = escalation === true || (isAbsent(escalation) && !partial);
  if (mayEscalate) found("securityContext.allowPrivilegeEscalation", "is not false");
  const added = texts(read(security, "capabilities", "add"));
  if (added.length > 0) found("securityContext.capabilities.add", `adds ${added.join(", ")}`);
  for (const { item, index } of items(read(container, "ports"))) {
    const port = read(item, "hostPort");
    if (typeof port === "number" && port !== 0)
      found(`ports[${index}].hostPort`, `takes port ${port} of the node`);
  }
  return problems;
}

export const limitsOnContainers: ResourceRule = {
  scope: "resource",
  name: "limits-on-containers",
  description:
    "Give every container, init and ephemeral ones too, a limit of cpu and of memory: without one it takes its neighbours' share.",
  url: "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
  judges: hasPods,
  check: (resource) =>
    podsOf(resource)
      .filter(({ partial }) => !partial)
      .flatMap(containersOf)
      .flatMap(({ path, name, container }) => {
        const missing = ["cpu", "memory"].filter((kind) =>
          isAbsent(read(container, "resources", "limits", kind)),
        );
        return missing.length === 0
          ? []
          : [
              {
                path: `${path}.resources.limits`,
                message: `has no ${missing.join(" and no ")} (container ${name})`,
              },
            ];
      }),
};

const DIGEST = /@sha256:[0-9a-f]{64}$/;

export const imagesByDigest: ResourceRule = {
  scope: "resource",
  name: "images-by-digest",
  description:
    "Name images by digest (name@sha256:…) in production: a tag can point to something else tomorrow, a digest can't.",
  url: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
  judges: hasPods,
  check: (resource) =>
    podsOf(resource)
      .filter(({ labels }) => isProduction(resource) || read(labels, MARK.class) === "production")
      .flatMap((pod) => [...containersOf(pod).map(imageOf), ...imageVolumes(pod)])
      .flatMap(({ path, image }) =>
        typeof image !== "string" || DIGEST.test(image) ? [] : [{ path, message: `is ${image}` }],
      ),
};

const imageOf = ({ path, container }: ContainerView) => ({
  path: `${path}.image`,
  image: read(container, "image"),
});

const imageVolumes = ({ path, spec }: PodView) =>
  items(read(spec, "volumes")).map(({ item, index }) => ({
    path: `${path}.volumes[${index}].image.reference`,
    image: read(item, "image", "reference"),
  }));
