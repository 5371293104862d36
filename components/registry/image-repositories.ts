import * as ecr from "@pulumi/aws/ecr/index.js";
import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";

/** Arguments of {@link ImageRepositories}. */
export interface ImageRepositoriesArgs {
  /** Names such as `mayfly/spark`. */
  readonly names: readonly string[];
  readonly encryptionKeyArn: pulumi.Input<string>;
  /** Whether they refuse to be deleted. */
  readonly protect: boolean;
  readonly provider: Provider;
}

/** A repository, made. */
export interface ImageRepository {
  readonly name: string;
  /** As in image references: `<account>.dkr.ecr.<region>.amazonaws.com/<name>`. */
  readonly url: pulumi.Output<string>;
}

/** Where engine images live: tags are immutable, each push is scanned, untagged layers go after a week. */
export class ImageRepositories extends Component {
  readonly repositories: readonly ImageRepository[];

  constructor(name: string, args: ImageRepositoriesArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "registry:ImageRepositories",
      name,
      { names: [...args.names] },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    this.repositories = args.names.map((repositoryName) => {
      const suffix = repositoryName.replaceAll("/", "-");
      const repository = new ecr.Repository(
        this.childName(suffix),
        {
          name: repositoryName,
          imageTagMutability: "IMMUTABLE",
          imageScanningConfiguration: { scanOnPush: true },
          encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: args.encryptionKeyArn }],
          forceDelete: false,
        },
        this.childOptions({ protect: args.protect }),
      );
      new ecr.LifecyclePolicy(
        this.childName(`${suffix}-lifecycle`),
        { repository: repository.name, policy: JSON.stringify(LIFECYCLE) },
        this.childOptions(),
      );
      return { name: repositoryName, url: repository.repositoryUrl };
    });
    this.seal({ repositories: this.repositories.map(({ url }) => url) });
  }
}

/** Tagged images are never deleted by themselves: a run of years ago must be able to run again. */
const LIFECYCLE = {
  rules: [
    {
      rulePriority: 1,
      description: "Layers that no tag names any more",
      selection: { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 7 },
      action: { type: "expire" },
    },
  ],
};
