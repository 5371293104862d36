/** What a reviewed change does with a resource. `read` is only looked up, `same` is left alone. */
export type Change = "replace" | "delete" | "update" | "create" | "same" | "read";

/** Changes, worst first: the order of every list in a review. */
export const CHANGES = ["replace", "delete", "update", "create", "read", "same"] as const;

/** One property that differs, with both values fit to be read by people. */
export interface PropertyChange {
  /** Such as `scalingConfig.maxSize`. */
  readonly path: string;
  /** Undefined where it was not there. */
  readonly from: string | undefined;
  /** Undefined where it is taken away. */
  readonly to: string | undefined;
  /** Whether this property forces the replacement. */
  readonly replaces: boolean;
}

/** One resource, and what happens to it. */
export interface ResourceChange {
  readonly urn: string;
  /** Type token, such as `aws:eks/nodeGroup:NodeGroup`. */
  readonly type: string;
  /** The type as a program names it, such as `aws.eks.NodeGroup`. */
  readonly kind: string;
  readonly name: string;
  readonly category: Category;
  /** Names of the Mayfly components that it stands in, outermost first; for a component, itself is the last. */
  readonly component: readonly string[];
  /** Class of the innermost of these, such as `NodePool`. */
  readonly componentKind: string | undefined;
  readonly change: Change;
  readonly protect: boolean;
  /** What is lost with it, where that can't be made again; undefined for what can. */
  readonly loss: string | undefined;
  readonly deleteBeforeReplace: boolean;
  /** Of updates and replacements. */
  readonly properties: readonly PropertyChange[];
}

/** Where a resource lives; `pulumi`: providers, the stack, and other things of Pulumi's own. */
export type Category = "cloud" | "cluster" | "component" | "pulumi";

/** Resources of one kind that change in the same way. */
export interface ChangeGroup {
  readonly change: Change;
  readonly kind: string;
  readonly names: readonly string[];
  /** How many there are, where components with not quite as many are put together. */
  readonly count: { readonly least: number; readonly most: number };
  /** Empty for creates and deletes. Where the values of the resources differ, those of the first. */
  readonly properties: readonly PropertyChange[];
  /** Properties whose values are not those shown in all of {@link names}. */
  readonly varying: readonly string[];
}

/** Components in which the same things happen. */
export interface ComponentChanges {
  /** Paths such as `pool-m7g-4xlarge` or `cluster/system-pool`; empty for what stands in no component. */
  readonly components: readonly string[];
  /** Class, such as `NodePool`; undefined for what stands in no component. */
  readonly kind: string | undefined;
  /** What happens in each of them; names are those of the first. */
  readonly groups: readonly ChangeGroup[];
}

/** Something that a reviewer has to look at before anything else. */
export interface Attention {
  readonly level: "danger" | "warning";
  /** A line for people. */
  readonly message: string;
  /** More lines. */
  readonly details: readonly string[];
}

/** How many resources of one kind there are, and what happens to them. */
export interface KindCount {
  readonly kind: string;
  readonly category: Category;
  /** After the change. */
  readonly total: number;
  readonly changes: Readonly<Record<Change, number>>;
}

/** All resources together. */
export interface Totals {
  /** That Pulumi holds after the change: components, providers and the stack itself too. */
  readonly resources: number;
  /** How many there may be. */
  readonly limit: number;
  readonly byCategory: Readonly<Record<Category, number>>;
  readonly changes: Readonly<Record<Change, number>>;
}

/** What the environment is compared with. */
export type ComparedWith =
  | {
      readonly kind: "commit";
      readonly commit: string;
      /** What was asked for: a branch, a tag, or HEAD. */
      readonly ref: string;
      readonly file: string;
      /** Whether its program differs from the work tree's too, beside the config. */
      readonly programDiffers: boolean;
      readonly notes: readonly string[];
    }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "nothing"; readonly why: string };

/** What the policies said. */
export interface PolicyReview {
  /** False with `--no-policy`. */
  readonly ran: boolean;
  readonly rules: number;
  readonly violations: readonly {
    readonly policy: string;
    readonly mandatory: boolean;
    readonly resource: string | undefined;
    readonly message: string;
  }[];
}

/** An amount of money in one currency, a month. */
export interface Money {
  readonly currency: string;
  readonly floor: number;
  readonly ceiling: number;
}

/** What one part costs in a month of {@link HOURS_PER_MONTH}. */
export interface CostLine {
  readonly part: "pool" | "system pool" | "fixed";
  /** Name of the pool, or what it is: `NAT gateways`. */
  readonly name: string;
  /** How it comes about: `3 zones × 0 to 10 nodes, m7g.4xlarge on demand at $0.7792 an hour`. */
  readonly how: string;
  /** Undefined where a price is not known. */
  readonly money: Money | undefined;
  /** What is not known, or counted otherwise than one would think. */
  readonly notes: readonly string[];
}

/** Days of a month differ; AWS's own calculator counts with 730 hours. */
export const HOURS_PER_MONTH = 730;

/** The estimate for one side. */
export interface CostEstimate {
  readonly lines: readonly CostLine[];
  /** One for each currency. */
  readonly totals: readonly Money[];
  /** Parts that are in no total since their price is not known. */
  readonly unknown: readonly string[];
  /** Dates of the prices. */
  readonly asOf: readonly string[];
}

/** Both sides. */
export interface CostReview {
  readonly now: CostEstimate;
  /** Undefined where there is nothing to compare with. */
  readonly before: CostEstimate | undefined;
  /** By currency; undefined without {@link before}. */
  readonly change: readonly Money[] | undefined;
  /** Why there is no estimate of before, though there is something to compare with. */
  readonly beforeUnknown: string | undefined;
}

/** Everything that a review says, whatever prints it. */
export interface Review {
  readonly environment: string;
  readonly comparedWith: ComparedWith;
  /** That the cloud side is simulated. */
  readonly notice: string;
  /** False where the preview itself failed; {@link errors} say why. */
  readonly succeeded: boolean;
  /** Whether the change would be refused: by a mandatory policy, or since something is protected. */
  readonly refused: boolean;
  readonly attention: readonly Attention[];
  readonly components: readonly ComponentChanges[];
  readonly totals: Totals;
  readonly kinds: readonly KindCount[];
  readonly costs: CostReview;
  readonly policies: PolicyReview;
  /** Types that the stand-in plugins only echo. */
  readonly unmodelled: readonly string[];
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** All that is made, changed or deleted, each resource by itself; for machines. */
  readonly resources: readonly ResourceChange[];
}
