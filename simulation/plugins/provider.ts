import type { JsonRecord } from "../json.ts";
import type { Comparison } from "./compare.ts";

/** A problem that is told as it is, without a stack trace. */
export class PluginError extends Error {
  override readonly name = "PluginError";
}

/** Messages to whoever runs the engine. */
export interface Log {
  readonly warning: (message: string, urn?: string) => void;
}

/** A resource that exists, in our simulation. */
export interface Existing {
  readonly id: string;
  readonly properties: JsonRecord;
  readonly inputs: JsonRecord;
}

/** What the engine asks to construct a component whose code is in the plugin. */
export interface ConstructRequest {
  readonly type: string;
  readonly name: string;
  readonly parent: string;
  readonly inputs: JsonRecord;
  /** URNs that each input depends on. */
  readonly inputDependencies: ReadonlyMap<string, readonly string[]>;
  /** Package to provider, `urn::id`. */
  readonly providers: ReadonlyMap<string, string>;
  readonly dependencies: readonly string[];
  readonly aliases: readonly unknown[];
  readonly protect: boolean | undefined;
  readonly monitor: string;
}

/** A component that is made, with what it offers. */
export interface Constructed {
  readonly urn: string;
  readonly state: JsonRecord;
  /** URNs that each output depends on. */
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
}

/**
 * A resource provider apart from the protocol that it is asked by. Properties keep the engine's marks of secrets; nulls are left out.
 * None keeps a state: everything follows from what the engine hands over.
 */
export interface Provider {
  readonly diffConfig: (olds: JsonRecord, news: JsonRecord) => Comparison;
  readonly configure: (config: JsonRecord) => void;
  readonly check: (urn: string, olds: JsonRecord, news: JsonRecord) => JsonRecord;
  readonly diff: (urn: string, olds: JsonRecord, news: JsonRecord) => Comparison;
  readonly create: (urn: string, inputs: JsonRecord, preview: boolean) => Existing;
  /** @param state Outputs as last known; empty for a resource that is only looked up. */
  readonly read: (urn: string, id: string, state: JsonRecord, inputs: JsonRecord) => Existing;
  readonly update: (
    urn: string,
    id: string,
    state: JsonRecord,
    olds: JsonRecord,
    news: JsonRecord,
    preview: boolean,
  ) => JsonRecord;
  readonly invoke: (token: string, args: JsonRecord) => JsonRecord;
  readonly construct: (request: ConstructRequest) => Promise<Constructed>;
}

/** For what a package does not have. */
export const refuse =
  (what: string) =>
  (token: string): never => {
    throw new PluginError(`${token} is not simulated (${what}); docs/simulation.md says what is`);
  };
