import { Command } from "@commander-js/extra-typings";
import { examples, jsonOption } from "../options.ts";
import { labS3Command } from "./lab-s3.ts";

const up = () =>
  new Command("up")
    .description("bring the lab up: a real single-node Kubernetes, an S3 store, Pulumi, the Spark images")
    .option("--refresh", "look again for official downloads instead of using the remembered answer")
    .addHelpText("after", examples("mayfly lab up", 'mayfly lab up && eval "$(npx mayfly lab env)"'))
    .action(async (options) => {
      const { labUp } = await import("../../../lab/index.ts");
      await labUp(options);
    });

const down = () =>
  new Command("down")
    .description("stop the lab; leaves no process, mount, interface, firewall rule or cgroup behind")
    .option("--purge", "remove its data too: cluster, S3 objects, Pulumi state")
    .addHelpText("after", examples("mayfly lab down", "mayfly lab down --purge"))
    .action(async (options) => {
      const { labDown } = await import("../../../lab/index.ts");
      await labDown(options);
    });

export const labCommand = () =>
  new Command("lab")
    .description("a real Kubernetes on this machine, for laptops and CI")
    .addCommand(up())
    .addCommand(down())
    .addCommand(labS3Command());
