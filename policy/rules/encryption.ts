import type { ResourceView } from "../resource.ts";
import type { Problem, ResourceRule } from "../rule.ts";
import { holdsUnknown, isAbsent, isOn, isUnknown, items, read, texts } from "../values.ts";

type Check = (resource: ResourceView) => readonly Problem[];

const secrets: Check = ({ props }) => {
  const config = props["encryptionConfig"];
  if (isUnknown(config)) return [];
  const encrypted = read(config, "resources");
  if (!holdsUnknown(encrypted) && !texts(encrypted).includes("secrets"))
    return [{ path: "encryptionConfig.resources", message: "does not hold secrets" }];
  return isAbsent(read(config, "provider", "keyArn"))
    ? [{ path: "encryptionConfig.provider.keyArn", message: "names no key" }]
    : [];
};

const disk = (holder: unknown, path: string): readonly Problem[] => {
  const encrypted = read(holder, "encrypted");
  return isUnknown(encrypted) || isOn(encrypted) ? [] : [{ path, message: "is not true" }];
};

/** The image's own root volume is not encrypted, so the template must replace it; a mapping without `ebs` is an instance store. */
const templateDisks: Check = ({ props }) => {
  const mappings = props["blockDeviceMappings"];
  if (isUnknown(mappings)) return [];
  const volumes = items(mappings).filter(({ item }) => !isAbsent(read(item, "ebs")));
  if (volumes.length === 0 && !holdsUnknown(mappings))
    return [{ path: "blockDeviceMappings", message: "names no root volume, so the image's own is used" }];
  return volumes.flatMap(({ item, index }) =>
    disk(read(item, "ebs"), `blockDeviceMappings[${index}].ebs.encrypted`),
  );
};

const instanceDisks: Check = ({ props }) => [
  ...disk(props["rootBlockDevice"], "rootBlockDevice.encrypted"),
  ...items(props["ebsBlockDevices"]).flatMap(({ item, index }) =>
    disk(item, `ebsBlockDevices[${index}].encrypted`),
  ),
];

const images: Check = ({ props }) => {
  const settings = props["encryptionConfigurations"];
  const types = items(settings).map(({ item }) => read(item, "encryptionType"));
  const fine =
    holdsUnknown(settings) || types.some(isUnknown) || types.includes("KMS") || types.includes("AES256");
  return fine ? [] : [{ path: "encryptionConfigurations", message: "says neither KMS nor AES256" }];
};

/** Volumes that Kubernetes asks for. */
const volumeClass: Check = ({ props }) => {
  const { provisioner, parameters } = props;
  if (provisioner !== "ebs.csi.aws.com") return [];
  const encrypted = read(parameters, "encrypted");
  return isUnknown(encrypted) || isOn(encrypted)
    ? []
    : [{ path: "parameters.encrypted", message: 'is not "true"' }];
};

const CHECKS: Readonly<Record<string, Check>> = {
  "aws:eks/cluster:Cluster": secrets,
  "aws:ec2/launchTemplate:LaunchTemplate": templateDisks,
  "aws:ec2/instance:Instance": instanceDisks,
  "aws:ebs/volume:Volume": ({ props }) => disk(props, "encrypted"),
  "aws:ecr/repository:Repository": images,
  "kubernetes:storage.k8s.io/v1:StorageClass": volumeClass,
};

/** Buckets need a rule on the whole stack: their settings are resources of their own. */
export const encryptionAtRest: ResourceRule = {
  scope: "resource",
  name: "encryption-at-rest",
  description:
    "Encrypt what is stored: Kubernetes Secrets with a KMS key, every volume, every image repository.",
  url: "https://docs.aws.amazon.com/eks/latest/best-practices/data-encryption-and-secrets-management.html",
  judges: ({ type }) => type in CHECKS,
  check: (resource) => CHECKS[resource.type]?.(resource) ?? [],
};

/** Only symmetric keys whose material KMS itself made can be rotated by it. */
export const keyRotation: ResourceRule = {
  scope: "resource",
  name: "kms-key-rotation",
  description: "Let KMS replace the material of each key once a year: enableKeyRotation true.",
  url: "https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
  judges: ({ type }) => type === "aws:kms/key:Key",
  check: ({ props }) => {
    const { customerMasterKeySpec: spec, enableKeyRotation: rotation, keyUsage: usage } = props;
    const rotates =
      (isAbsent(spec) || spec === "SYMMETRIC_DEFAULT") && (isAbsent(usage) || usage === "ENCRYPT_DECRYPT");
    if (!rotates || isUnknown(rotation) || isOn(rotation)) return [];
    return [{ path: "enableKeyRotation", message: "is not true" }];
  },
};
