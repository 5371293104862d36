import type { MavenJar } from "../build/maven.ts";

/** All that differs between two Spark images. Checksums are in `<version>.lock.json`, written by `scripts/images.ts lock`. */
export interface SparkRecipe {
  readonly version: string;
  readonly image: string;
  /** The worker can't find out by itself: the package on PyPI has no RELEASE file. */
  readonly scala: string;
  /** S3A with the magic committer, and of the AWS SDK what these need: 5 to 10 MB instead of the bundle's 558. */
  readonly s3Jars: readonly MavenJar[];
  /** S3A's credentials from AWS_* variables, for the training run. */
  readonly credentialsProvider: string;
  /** JVM options with which Spark's own launcher starts every JVM of this version, beside the memory. */
  readonly launcherOptions: readonly string[];
  /** More of them, of use to drivers only: vector instructions for MLlib's linear algebra. */
  readonly driverOptions: readonly string[];
}

const jars = (group: string, version: string, artifacts: string): MavenJar[] =>
  artifacts.split(" ").map((artifact) => ({ group, artifact, version }));

const opens = (packages: string): string[] =>
  packages.split(" ").map((name) => `--add-opens=${name}=ALL-UNNAMED`);

/** org.apache.spark.launcher.JavaModuleOptions, the same in 3.5 and 4.0. */
const MODULE_OPTIONS = [
  "-XX:+IgnoreUnrecognizedVMOptions",
  ...opens("java.base/java.lang java.base/java.lang.invoke java.base/java.lang.reflect java.base/java.io"),
  ...opens("java.base/java.net java.base/java.nio java.base/java.util java.base/java.util.concurrent"),
  ...opens("java.base/java.util.concurrent.atomic java.base/jdk.internal.ref java.base/sun.nio.ch"),
  ...opens("java.base/sun.nio.cs java.base/sun.security.action java.base/sun.util.calendar"),
  ...opens("java.security.jgss/sun.security.krb5"),
  "-Djdk.reflect.useDirectMethodHandle=false",
];

/** Hadoop 3.4, AWS SDK 2. 2.29.52 is the last before 2.30's new checksums, and honours AWS_ENDPOINT_URL_STS. */
const SPARK_4_0: SparkRecipe = {
  version: "4.0.1",
  image: "mayfly.dev/spark:4.0.1",
  scala: "2.13",
  s3Jars: [
    ...jars("org.apache.hadoop", "3.4.1", "hadoop-aws"),
    ...jars("org.apache.spark", "4.0.1", "spark-hadoop-cloud_2.13"),
    ...jars("org.reactivestreams", "1.0.4", "reactive-streams"),
    ...jars("software.amazon.eventstream", "1.0.1", "eventstream"),
    ...jars(
      "software.amazon.awssdk",
      "2.29.52",
      "annotations apache-client arns auth aws-core aws-query-protocol aws-xml-protocol checksums checksums-spi crt-core " +
        "endpoints-spi http-auth http-auth-aws http-auth-aws-eventstream http-auth-spi http-client-spi identity-spi json-utils " +
        "metrics-spi netty-nio-client profiles protocol-core regions retries retries-spi s3 s3-transfer-manager sdk-core sts " +
        "third-party-jackson-core utils",
    ),
  ],
  credentialsProvider: "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
  launcherOptions: [...MODULE_OPTIONS, "-Dio.netty.tryReflectionSetAccessible=true"],
  driverOptions: ["--add-modules=jdk.incubator.vector"],
};

/** Hadoop 3.3, AWS SDK 1. Its S3A does not start without the DynamoDB module. */
const SPARK_3_5: SparkRecipe = {
  version: "3.5.8",
  image: "mayfly.dev/spark:3.5.8",
  scala: "2.12",
  s3Jars: [
    ...jars("org.apache.hadoop", "3.3.4", "hadoop-aws"),
    ...jars("org.apache.spark", "3.5.8", "spark-hadoop-cloud_2.12"),
    ...jars(
      "com.amazonaws",
      "1.12.262",
      "aws-java-sdk-core aws-java-sdk-dynamodb aws-java-sdk-s3 aws-java-sdk-sts jmespath-java",
    ),
  ],
  credentialsProvider: "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
  launcherOptions: MODULE_OPTIONS,
  driverOptions: [],
};

export const SPARK_RECIPES: readonly SparkRecipe[] = [SPARK_4_0, SPARK_3_5];
