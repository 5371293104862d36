import { listNames } from "../../../base/nearest.ts";
import { refuse } from "../refusal.ts";

/** The major version of `2.3.0`. */
const major = (version: string): number => Number(version.split(".")[0]);

/** What Flink reads in its configuration folder. 2.0 knows config.yaml alone. */
export const configFile = (version: string): "config.yaml" | "flink-conf.yaml" =>
  major(version) >= 2 ? "config.yaml" : "flink-conf.yaml";

/**
 * Refuses values that flink-conf.yaml can't hold: its reader takes whole lines, cuts them at `#` and trims what is left.
 * https://github.com/apache/flink/blob/release-1.20.1/flink-core/src/main/java/org/apache/flink/configuration/YamlParserUtils.java
 */
export function checkValues(version: string, conf: Readonly<Record<string, string>>): void {
  if (major(version) >= 2) return;
  const wrong = Object.entries(conf).filter(([, value]) => /[#\n\r]/.test(value) || value.trim() !== value);
  const [first] = wrong;
  if (first === undefined) return;
  refuse({
    code: "conf-value-impossible",
    message: `Flink ${version} can't read ${listNames(wrong.map(([key]) => key))}: there is a #, a line break, or space at an end.`,
    path: `conf.${first[0]}`,
    hint: "Set it in the job's own code, or use Flink 2.",
  });
}

/**
 * Flink's configuration, keys sorted, so that the same settings give the same file. config.yaml takes flat keys as well as nested ones;
 * in quotes, so that YAML makes no number or date of a text.
 */
export const configText = (version: string, settings: Readonly<Record<string, string>>): string =>
  `${Object.entries(settings)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}: ${major(version) >= 2 ? JSON.stringify(value) : value}`)
    .join("\n")}\n`;
