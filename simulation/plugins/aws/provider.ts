import { isRecord, type Json, type JsonRecord, omit, recordAt, textAt } from "../../json.ts";
import { hasUnknown, reveal, revealRecord, secret, UNKNOWN_VALUE } from "../../wire.ts";
import { changes, compare, isUnder, UNCHANGED } from "../compare.ts";
import { digest, parseUrn } from "../identity.ts";
import { type Existing, type Log, type Provider, refuse } from "../provider.ts";
import { invoke } from "./invokes.ts";
import type { Facts, Model } from "./model.ts";
import { AWS_MODELS } from "./models.ts";
import { partitionOf } from "./regions.ts";

/** The region of a provider that names none: AWS's own tools have no default, previews should work all the same. */
const DEFAULT_REGION = "us-east-1";

/**
 * A type that nobody modelled: its inputs are all that is known of it. Everything of it changes in place.
 */
const ECHO: Model = {
  id: ({ urn }) => `simulated-${digest(17, urn)}`,
  outputs: () => ({}),
  replaces: [],
  tagged: false,
  regional: false,
};

/** A marker that `simulation/events.ts` looks for. */
export const UNMODELLED = "is not modelled by the simulation";

/** The stand-in for the aws plugin. */
export function createAwsProvider(log: Log): Provider {
  let settings: JsonRecord = {};
  const warned = new Set<string>();

  const modelOf = (urn: string): Model => {
    const { type } = parseUrn(urn);
    const model = AWS_MODELS[type];
    if (model === undefined && !warned.has(type)) {
      warned.add(type);
      log.warning(`${type} ${UNMODELLED}: its inputs are echoed, and no change replaces it`, urn);
    }
    return model ?? ECHO;
  };

  const region = (inputs: JsonRecord): string =>
    textAt(inputs, "region") ?? textAt(settings, "region") ?? DEFAULT_REGION;

  const factsOf = (urn: string, inputs: JsonRecord, before?: Facts["before"], id = ""): Facts => {
    const plain = revealRecord(inputs);
    const facts = { id, urn, inputs: plain, before, region: region(plain), ...partitionOf(region(plain)) };
    return id === "" ? { ...facts, id: modelOf(urn).id(facts) } : facts;
  };

  /** Everything of a resource: what the program says, what the provider adds, what AWS adds. */
  const outputsOf = (model: Model, facts: Facts, inputs: JsonRecord): JsonRecord => ({
    ...model.defaults,
    ...(model.regional ? { region: facts.region } : {}),
    ...inputs,
    ...model.outputs(facts),
  });

  return {
    diffConfig: (olds, news) => compare(olds, news, { replaces: [] }),
    configure: (config) => {
      settings = config;
    },
    check: (urn, olds, news) => {
      const model = modelOf(urn);
      const named = withName(model, urn, olds, news);
      return model.tagged || news["tags"] !== undefined
        ? { ...named, tagsAll: allTags(settings, named["tags"] ?? {}) }
        : named;
    },
    diff: (urn, olds, news) => {
      const model = modelOf(urn);
      const removed = (model.replacesWhenRemoved ?? []).filter((property) => news[property] === undefined);
      const comparison = compare(olds, news, {
        replaces: [...model.replaces, ...(model.regional ? ["region"] : []), ...removed],
        ...(model.sets === undefined ? {} : { sets: model.sets }),
      });
      if (comparison.changes.length === 0) return UNCHANGED;
      // A name that is taken can't be had twice: the bridge's nameRequiresDeleteBeforeReplace.
      const name = model.name?.property;
      const fixed =
        name !== undefined &&
        reveal(olds[name] ?? null) === reveal(news[name] ?? null) &&
        news[name] !== madeUpName(model, urn, news);
      return {
        ...comparison,
        deleteBeforeReplace: fixed && comparison.changes.some(({ replaces }) => replaces),
      };
    },
    create: (urn, inputs, preview) => {
      const model = modelOf(urn);
      const facts = factsOf(urn, inputs);
      const outputs = outputsOf(model, facts, inputs);
      return {
        id: facts.id,
        properties: preview ? veiled(outputs, { ...model.defaults, ...inputs }, model, facts) : outputs,
        inputs,
      };
    },
    read: (urn, id, state, inputs): Existing => {
      if (Object.keys(inputs).length > 0) return { id, properties: state, inputs };
      // Looked up by id: all that is known is what the id tells.
      const model = modelOf(urn);
      const given = model.name === undefined ? state : { [model.name.property]: id, ...state };
      const facts = factsOf(urn, given, undefined, id);
      return { id, properties: outputsOf(model, facts, given), inputs: given };
    },
    update: (urn, id, state, olds, news, preview) => {
      const model = modelOf(urn);
      const before = { inputs: revealRecord(olds), outputs: revealRecord(state) };
      const facts = factsOf(urn, news, before, id);
      if (!preview) return outputsOf(model, facts, news);
      const { outputs = [], except = [] } = model.moving ?? {};
      const moves = changes(before.inputs, facts.inputs, () => false).some(
        ({ path }) => !except.some((pattern) => isUnder(path, pattern)),
      );
      // What AWS added stays as it was; of what changes with the update nothing is known yet.
      const added = omit(state, new Set([...Object.keys(olds), ...(moves ? outputs : [])]));
      const unknown = moves ? Object.fromEntries(outputs.map((output) => [output, UNKNOWN_VALUE])) : {};
      return { ...added, ...kept(state, news), ...unknown };
    },
    invoke: (token, args) => invoke(token, args, textAt(args, "region") ?? region({})),
    construct: ({ type }) => refuse("a component of package aws")(type),
  };
}

/** New inputs, with what the state has more in the same records: `vpcConfig.clusterSecurityGroupId`. */
function kept(state: JsonRecord, news: JsonRecord): JsonRecord {
  return Object.fromEntries(
    Object.entries(news).map(([key, value]) => {
      const old = state[key];
      return [
        key,
        key !== "tags" && key !== "tagsAll" && key !== "labels" && isRecord(old) && isRecord(value)
          ? { ...old, ...value }
          : value,
      ];
    }),
  );
}

/** In the preview of a creation only what the program or the provider says is known. */
function veiled(outputs: JsonRecord, known: JsonRecord, model: Model, facts: Facts): JsonRecord {
  const veil = (value: Json, basis: Json | undefined): Json => {
    if (!isRecord(value)) return basis ?? UNKNOWN_VALUE;
    if (!isRecord(basis)) return basis ?? UNKNOWN_VALUE;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, veil(item, basis[key])]));
  };
  const basis = model.regional ? { region: facts.region, ...known } : known;
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, veil(value, basis[key])]));
}

/** Default tags and the resource's own, which win: provider/tags.go of pulumi/pulumi-aws does it in Check too. */
function allTags(settings: JsonRecord, tags: Json): Json {
  const own = reveal(tags);
  if (hasUnknown(own)) return UNKNOWN_VALUE;
  const all = { ...recordAt(settings, "defaultTags", "tags"), ...(isRecord(own) ? own : {}) };
  return isRecord(tags) && !sameKeys(tags, own) ? secret(all) : all;
}

/** False where one is marked as a secret and the other one is not. */
const sameKeys = (tags: JsonRecord, own: Json): boolean => JSON.stringify(tags) === JSON.stringify(own);

/** https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming, with digits that follow from the resource instead of chance. */
function madeUpName(model: Model, urn: string, inputs: JsonRecord): string {
  const seed = model.replaces
    .filter((property) => property !== model.name?.property)
    .map((property) => JSON.stringify(inputs[property] ?? null));
  const name = `${parseUrn(urn).name}-${digest(7, urn, ...seed)}`;
  return model.name?.lower === true ? name.toLowerCase() : name;
}

function withName(model: Model, urn: string, olds: JsonRecord, news: JsonRecord): JsonRecord {
  const { name } = model;
  if (name === undefined) return news;
  const { property, unless = [] } = name;
  if (news[property] !== undefined || unless.some((other) => news[other] !== undefined)) return news;
  return { ...news, [property]: olds[property] ?? madeUpName(model, urn, news) };
}
