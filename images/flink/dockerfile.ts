import { renderDockerfile } from "../build/dockerfile.ts";
import { assembleArguments, ENTRYPOINT, ENVIRONMENT, LAYOUT, USER } from "./layout.ts";
import type { FlinkRecipe } from "./recipe.ts";

/** The same image by Docker's hands. Build it with images/flink as context. Pure. */
export const flinkDockerfile = ({ version, image }: FlinkRecipe): string =>
  renderDockerfile({
    engine: "flink",
    version,
    image,
    pypiStage: "libraries",
    env: ENVIRONMENT,
    assemble: assembleArguments("/tmp/build"),
    user: USER.id,
    workDir: LAYOUT.workDir,
    entrypoint: ENTRYPOINT,
  });
