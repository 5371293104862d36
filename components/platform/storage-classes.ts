import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { type Labels, labelled } from "../core/labels.ts";

/** Arguments of {@link StorageClasses}. */
export interface StorageClassesArgs {
  /** The environment's KMS key; the account's own EBS key where left out. */
  readonly keyArn?: pulumi.Input<string>;
  /** Also tags of the volumes, which the AWS provider's default tags don't reach. */
  readonly labels: Labels;
  readonly provider: kubernetes.Provider;
}

/** Names of the platform's storage classes. */
export const STORAGE_CLASS = {
  /** gp3, deleted with its claim. The default. */
  scratch: "gp3",
  /** gp3, kept when its claim goes. */
  retain: "gp3-retain",
  /** The instance's own NVMe disks, for volumes that somebody prepares by hand or by a provisioner. */
  local: "local-nvme",
} as const;

/** Storage classes of an EKS environment. A volume is made where its pod lands: EBS volumes can't leave their zone. */
export class StorageClasses extends Component {
  /** Classes that jobs may use for scratch. */
  readonly forScratch: pulumi.Output<string[]>;

  constructor(name: string, args: StorageClassesArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("platform:StorageClasses", name, {}, pulumi.mergeOptions(options, { providers: [args.provider] }));
    const scratch = this.#disk(args, STORAGE_CLASS.scratch, "Delete", {
      annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
    });
    this.#disk(args, STORAGE_CLASS.retain, "Retain");
    new kubernetes.storage.v1.StorageClass(
      this.childName(STORAGE_CLASS.local),
      {
        metadata: metadata(args, STORAGE_CLASS.local),
        provisioner: "kubernetes.io/no-provisioner",
        volumeBindingMode: "WaitForFirstConsumer",
        reclaimPolicy: "Delete",
      },
      this.childOptions(),
    );
    this.forScratch = pulumi.all([scratch.metadata.name]);
    this.seal({ forScratch: this.forScratch });
  }

  #disk(
    args: StorageClassesArgs,
    className: string,
    reclaimPolicy: "Delete" | "Retain",
    annotated: { readonly annotations?: Record<string, string> } = {},
  ): kubernetes.storage.v1.StorageClass {
    return new kubernetes.storage.v1.StorageClass(
      this.childName(className),
      {
        metadata: { ...metadata(args, className), ...annotated },
        provisioner: "ebs.csi.aws.com",
        parameters: {
          type: "gp3",
          encrypted: "true",
          "csi.storage.k8s.io/fstype": "ext4",
          ...(args.keyArn === undefined ? {} : { kmsKeyId: args.keyArn }),
          ...volumeTags(args.labels),
        },
        volumeBindingMode: "WaitForFirstConsumer",
        allowVolumeExpansion: true,
        reclaimPolicy,
      },
      this.childOptions(),
    );
  }
}

const metadata = (args: StorageClassesArgs, name: string) => ({
  name,
  labels: labelled(args.labels, "platform"),
});

/** https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md */
const volumeTags = (labels: Labels): Record<string, string> =>
  Object.fromEntries(
    Object.entries(labels).map(([key, value], index) => [`tagSpecification_${index + 1}`, `${key}=${value}`]),
  );
