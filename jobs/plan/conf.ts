// What both engines do with a job's `conf`: refuse what the plan computes, and say what to use instead.
import { listNames } from "../../base/nearest.ts";
import { refuse } from "./refusal.ts";

type Conf = Readonly<Record<string, string>>;

/** Keys that a job may not set; `instead` is undefined where nothing takes their place. */
export interface ReservedKeys {
  readonly pattern: RegExp;
  readonly instead: string | undefined;
}

/** What to do instead of setting a key; undefined where a job may set it. The first match counts. */
export function insteadOf(reserved: readonly ReservedKeys[], key: string): string | undefined {
  const found = reserved.find(({ pattern }) => pattern.test(key));
  if (found === undefined) return undefined;
  return found.instead === undefined
    ? `Leave out ${key}, it is the same for every job.`
    : `Instead of ${key} use ${found.instead}.`;
}

/** Refuses a `conf` that names computed settings, all of them at once. @throws UserError `reserved-property` */
export function refuseKeys(conf: Conf, adviceOf: (key: string) => string | undefined): void {
  const refused = Object.keys(conf).flatMap((key) => {
    const instead = adviceOf(key);
    return instead === undefined ? [] : [{ key, instead }];
  });
  const [first] = refused;
  if (first === undefined) return;
  refuse({
    code: "reserved-property",
    message: `conf sets ${listNames(refused.map(({ key }) => key))}, which Mayfly computes.`,
    path: `conf.${first.key}`,
    hint: refused.map(({ instead }) => instead).join(" "),
  });
}

/** Refuses JVM options that would contradict the plan. @throws UserError `reserved-option` */
export function refuseOptions(
  conf: Conf,
  keys: readonly string[],
  {
    split,
    reserved,
    hint,
  }: {
    readonly split: (text: string) => readonly string[];
    readonly reserved: RegExp;
    readonly hint: string;
  },
): void {
  for (const key of keys) {
    const option = split(conf[key] ?? "").find((word) => reserved.test(word));
    if (option === undefined) continue;
    refuse({
      code: "reserved-option",
      message: `${key} sets ${option}, which Mayfly computes.`,
      path: `conf.${key}`,
      hint,
    });
  }
}
