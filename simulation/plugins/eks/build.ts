import { createHash } from "node:crypto";
import { isRecord, type JsonRecord } from "../../json.ts";
import { reveal } from "../../wire.ts";
import {
  idOf,
  type Monitor,
  made,
  output,
  plain,
  type Registered,
  type Registration,
  type Value,
} from "./monitor.ts";

/** What the parts of a cluster are made with. */
export interface Build {
  readonly monitor: Monitor;
  /** Name of the cluster in the program: it begins each child's name. */
  readonly name: string;
  /** URN of the component. */
  readonly urn: string;
  /** The aws provider, `urn::id`; undefined where the program leaves it to the engine. */
  readonly aws: string | undefined;
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
  readonly inputs: JsonRecord;
  readonly input: (property: string) => Value | undefined;
}

/** Registers an AWS resource below the component. */
export const awsChild = async (
  build: Build,
  type: string,
  name: string,
  properties: Registration["properties"],
  more: Partial<Registration> = {},
): Promise<Registered> =>
  await build.monitor.register({
    type,
    name,
    parent: build.urn,
    properties,
    provider: build.aws,
    ...more,
  });

/** A switch of the program; it may not hang on an output, as it decides what there is. */
export const isOn = (build: Build, property: string): boolean =>
  reveal(build.inputs[property] ?? null) === true;

/** An option of a record such as `corednsAddonOptions`. */
export function option(build: Build, property: string, key: string): Value | undefined {
  const options = build.inputs[property];
  const value = isRecord(options) ? options[key] : undefined;
  const from = build.input(property)?.from ?? [];
  return value === undefined ? undefined : { json: value, from };
}

/** A record of text: `tags` of the resource over those of the cluster, with a name. */
export function tagsOf(build: Build, name: string, own?: Value, more: readonly Value[] = []): Value {
  const all = [own ?? plain({}), build.input("tags") ?? plain({}), ...more];
  return made(all, (...records) =>
    Object.fromEntries([["Name", name], ...records.filter(isRecord).flatMap((item) => Object.entries(item))]),
  );
}

/** A role for an AWS service, as component `eks:index:ServiceRole` of nodejs/eks/servicerole.ts makes it. */
export interface ServiceRole {
  readonly role: Registered;
  /** The role and what is attached to it. */
  readonly ready: readonly string[];
}

export async function serviceRole(
  build: Build,
  suffix: string,
  role: {
    readonly service: string;
    readonly description?: string;
    readonly policies: readonly string[];
    readonly actions: readonly string[];
  },
): Promise<ServiceRole> {
  const name = `${build.name}-${suffix}`;
  const component = await build.monitor.register({
    type: "eks:index:ServiceRole",
    name,
    parent: build.urn,
    component: true,
    properties: {},
    providers: build.aws === undefined ? new Map() : new Map([["aws", build.aws]]),
  });
  const below: Partial<Registration> = { parent: component.urn };
  const made = await awsChild(
    build,
    "aws:iam/role:Role",
    `${name}-role`,
    {
      description: role.description === undefined ? undefined : plain(role.description),
      assumeRolePolicy: plain(
        JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Action: role.actions, Effect: "Allow", Principal: { Service: [role.service] } }],
        }),
      ),
      tags: build.input("tags"),
    },
    below,
  );
  const attachments = await Promise.all(
    role.policies.map(
      async (policy) =>
        await awsChild(
          build,
          "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
          // Named after the ARN in the commercial partition, whichever partition it is: sha1hash in servicerole.ts.
          `${name}-${shortHash(`arn:aws:iam::aws:policy/${policy}`)}`,
          { policyArn: plain(`arn:${build.partition}:iam::aws:policy/${policy}`), role: idOf(made) },
          below,
        ),
    ),
  );
  await build.monitor.setOutputs(component.urn, {});
  return { role: made, ready: [made.urn, ...attachments.map(({ urn }) => urn)] };
}

const shortHash = (text: string): string => createHash("sha1").update(text).digest("hex").slice(0, 8);

export const arnOf = (resource: Registered): Value => output(resource, "arn");
