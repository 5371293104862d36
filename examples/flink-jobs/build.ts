// Builds the Flink examples' jars with Maven and puts them into the lab's S3 store. `mayfly lab up` does so by itself when they changed.
// Usage: bin/node examples/flink-jobs/build.ts            installs Debian's maven and default-jdk-headless where they are missing
import { buildExampleJars } from "../../lab/example-jars.ts";

await buildExampleJars();
