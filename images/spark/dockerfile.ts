import { renderDockerfile } from "../build/dockerfile.ts";
import { assembleArguments, ENTRYPOINT, environment, LAYOUT, USER } from "./layout.ts";
import type { SparkRecipe } from "./recipe.ts";

/** The same image by Docker's hands. Build it with images/spark as context. Pure. */
export const dockerfile = ({ version, image, scala, credentialsProvider }: SparkRecipe): string =>
  renderDockerfile({
    engine: "spark",
    version,
    image,
    pypiStage: "pyspark",
    env: environment(scala),
    assemble: assembleArguments("/tmp/build"),
    user: USER.id,
    afterUser: `RUN --mount=type=bind,source=files,target=/tmp/build/files \\
    sh /tmp/build/files/archives.sh ${credentialsProvider}
`,
    workDir: LAYOUT.workDir,
    entrypoint: ENTRYPOINT,
  });
