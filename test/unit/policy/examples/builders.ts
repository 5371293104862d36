import { placeOf, type ResourceView } from "../../../../policy/resource.ts";

/** What a rule must say, and must not say, about some resources. */
export interface Example {
  /** Name of the rule. */
  readonly rule: string;
  /** Each breaks this rule and no other. */
  readonly bad: readonly BadCase[];
  /** Each keeps all rules. */
  readonly good: readonly GoodCase[];
}

export interface GoodCase {
  readonly title: string;
  readonly resources: readonly ResourceView[];
}

export interface BadCase extends GoodCase {
  /** Each violation as `<resource>: <path> <message>`, in order. */
  readonly says: readonly string[];
}

interface Options {
  readonly project?: string;
  readonly class?: string;
  readonly protect?: boolean;
  readonly parent?: string;
  readonly above?: string;
  readonly madeFrom?: Readonly<Record<string, readonly string[]>>;
}

type Properties = Readonly<Record<string, unknown>>;

/** The URN of a resource of these examples, below a component of type `above`. */
export const urnOf = (type: string, name: string, options: Pick<Options, "project" | "above"> = {}): string =>
  `urn:pulumi:prod::${options.project ?? "mayfly"}::${options.above === undefined ? "" : `${options.above}$`}${type}::${name}`;

function resource(type: string, name: string, props: Properties, options: Options): ResourceView {
  const urn = urnOf(type, name, options);
  return {
    urn,
    type,
    name,
    ...placeOf(urn),
    props,
    protect: options.protect ?? false,
    parent: options.parent,
    propertyDependencies: options.madeFrom ?? {},
  };
}

/** The marks of everything in production. */
export const marks = (environmentClass = "production") => ({
  "app.kubernetes.io/managed-by": "mayfly",
  "mayfly.dev/environment": "prod",
  "mayfly.dev/class": environmentClass,
});

/** A resource of AWS with our tags, of production where nothing else is said. */
export const aws = (
  type: string,
  name: string,
  props: Properties = {},
  options: Options = {},
): ResourceView => resource(`aws:${type}`, name, { tagsAll: marks(options.class), ...props }, options);

/** A resource of AWS that takes no tags. */
export const untagged = (
  type: string,
  name: string,
  props: Properties,
  options: Options = {},
): ResourceView => resource(`aws:${type}`, name, props, options);

/** An object of Kubernetes with our labels. */
export const object = (
  type: string,
  name: string,
  body: Properties & { readonly metadata?: Properties },
  options: Options = {},
): ResourceView =>
  resource(
    `kubernetes:${type}`,
    name,
    { ...body, metadata: { name, labels: marks(options.class), ...body.metadata } },
    options,
  );

export const component = (type: string, name: string, options: Options = {}): ResourceView =>
  resource(type, name, {}, options);

/** A container that every rule lets pass. */
export const container = (more: Properties = {}) => ({
  name: "web",
  image: `registry.k8s.io/pause@sha256:${"0a".repeat(32)}`,
  resources: { limits: { cpu: "100m", memory: "64Mi" } },
  securityContext: { allowPrivilegeEscalation: false },
  ...more,
});

/** A Deployment with a pod. */
export const deployment = (
  spec: Properties,
  metadata: Properties = {},
  options: Options = {},
): ResourceView => object("apps/v1:Deployment", "web", { metadata, spec: { template: { spec } } }, options);

/** An IAM policy with these statements. */
export const iamPolicy = (...statements: readonly Properties[]): ResourceView =>
  aws("iam/policy:Policy", "access", {
    policy: JSON.stringify({ Version: "2012-10-17", Statement: statements }),
  });

/** A role whose trust these statements make. */
export const role = (...statements: readonly Properties[]): ResourceView =>
  aws("iam/role:Role", "job", {
    assumeRolePolicy: JSON.stringify({ Version: "2012-10-17", Statement: statements }),
  });
