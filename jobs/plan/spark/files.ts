/** Escapes one entry of a Java properties file: https://docs.oracle.com/javase/8/docs/api/java/util/Properties.html#load-java.io.Reader- */
const entry = (key: string, value: string): string => {
  const escaped = value
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    // The end first: a value that is one space is both.
    .replace(/ $/, "\\u0020")
    .replace(/^ /, "\\ ");
  return `${key.replaceAll(/[:= ]/g, "\\$&")}=${escaped}`;
};

/** A properties file with sorted keys, so that the same settings give the same file. */
export const propertiesFile = (properties: Readonly<Record<string, string>>): string =>
  `${Object.entries(properties)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => entry(key, value))
    .join("\n")}\n`;
