import type { MavenJar } from "../build/maven.ts";

/** All that differs between two Flink images. Checksums are in `<version>.lock.json`, written by `scripts/images.ts lock`. */
export interface FlinkRecipe {
  readonly version: string;
  readonly image: string;
  /** Name of the source archive on PyPI, which holds the jars. */
  readonly sdist: string;
  /** For people: its size. */
  readonly size: string;
  /** The S3 plugin, with the AWS SDK in it. */
  readonly s3Jars: readonly MavenJar[];
  /** A compiler that runs on the image's own Java, for the training jobs of the class-data archive. Not part of the image. */
  readonly buildJars: readonly MavenJar[];
  /** What this version reads in its configuration folder. */
  readonly configFile: "config.yaml" | "flink-conf.yaml";
}

const recipe = (version: string, sdist: string, size: string): FlinkRecipe => ({
  version,
  image: `mayfly.dev/flink:${version}`,
  sdist: `${sdist}-${version}.tar.gz`,
  size,
  s3Jars: [{ group: "org.apache.flink", artifact: "flink-s3-fs-hadoop", version }],
  buildJars: [{ group: "org.eclipse.jdt", artifact: "ecj", version: "3.33.0" }],
  configFile: version.startsWith("1.") ? "flink-conf.yaml" : "config.yaml",
});

/** Versions whose libraries are on PyPI and whose S3 plugin of the very same version is on Maven Central. */
export const FLINK_RECIPES: readonly FlinkRecipe[] = [
  recipe("2.3.0", "apache_flink_libraries", "330 MB"),
  recipe("2.1.1", "apache_flink_libraries", "310 MB"),
  recipe("2.0.0", "apache-flink-libraries", "310 MB"),
  recipe("1.20.1", "apache-flink-libraries", "230 MB"),
];
