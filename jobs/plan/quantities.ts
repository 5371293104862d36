import { parseCpu, parseDuration, parseMemory } from "../../schema/quantity.ts";

/** MiB of a quantity that the schema has checked already. */
export function mib(text: string): number {
  const value = parseMemory(text);
  if (value === undefined) throw new Error(`not a memory quantity: ${text}`);
  return value;
}

/** MiB, where there is a quantity. */
export const optionalMib = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : mib(text);

/** Millicores: the quantity, which the schema has checked already, else as many whole cores. */
export function millicores(text: string | undefined, cores: number): number {
  const value = text === undefined ? cores * 1000 : parseCpu(text);
  if (value === undefined) throw new Error(`not a CPU quantity: ${text ?? ""}`);
  return value;
}

/** Whole seconds of a duration that the schema has checked already. */
export function seconds(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new Error(`not a duration: ${text}`);
  return value;
}
