import { renderDockerfile } from "../build/dockerfile.ts";
import { archiveArguments, assembleArguments, ENTRYPOINT, ENVIRONMENT, LAYOUT, USER } from "./layout.ts";
import type { FlinkRecipe } from "./recipe.ts";

/** The same image by Docker's hands. Build it with images/ as context: the pretend S3 is Spark's. Pure. */
export const flinkDockerfile = ({ version, image, configFile }: FlinkRecipe): string =>
  renderDockerfile({
    engine: "flink",
    version,
    image,
    pypiStage: "libraries",
    env: ENVIRONMENT,
    assemble: assembleArguments("/tmp/build"),
    user: USER.id,
    afterUser: `RUN --mount=type=bind,from=jars,source=/jars,target=/tmp/build/jars \\
    --mount=type=bind,source=flink/files,target=/tmp/build/files \\
    --mount=type=bind,source=spark/files/s3stub.py,target=/tmp/build/s3stub.py \\
    python3 /tmp/build/files/archives.py ${archiveArguments("/tmp/build", configFile).join(" ")}
`,
    context: "images",
    workDir: LAYOUT.workDir,
    entrypoint: ENTRYPOINT,
  });
