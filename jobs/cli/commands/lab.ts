import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { EXIT } from "../../../base/errors.ts";
import { examples, jsonOption } from "../options.ts";
import { printJson, printLine, renderTable } from "../output.ts";
import { labS3Command } from "./lab-s3.ts";

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 16)
    throw new InvalidArgumentError("It must be a whole number from 0 to 16.");
  return value;
};

const up = () =>
  new Command("up")
    .description("bring the lab up: a real single-node Kubernetes, an S3 store, Pulumi, the Spark images")
    .option("--refresh", "look again for official downloads instead of using the remembered answer")
    .option("--workers <count>", "so many workers in the cluster, with a ledger of their own; 0: none", count)
    .option("--slots <count>", "runs at a time for each worker", count)
    .option("--without-environment", "leave the environment project to you: for 'pulumi up -s lab' by hand")
    .addHelpText(
      "after",
      examples(
        "mayfly lab up",
        'mayfly lab up && eval "$(npx mayfly lab env)"',
        'mayfly lab up --workers 2 && eval "$(npx mayfly lab env --workers)"',
        'mayfly lab up --without-environment && eval "$(npx mayfly lab env)" && pulumi up -s lab',
      ),
    )
    .action(async ({ refresh, withoutEnvironment, workers: replicas, slots = 2 }) => {
      const { labUp } = await import("../../../lab/index.ts");
      const workers = replicas === undefined ? undefined : { replicas, slots };
      await labUp({ refresh, environment: withoutEnvironment !== true, workers });
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

const status = () =>
  new Command("status")
    .description("show each part of the lab: running, healthy, since when; exit code 69 unless all is up")
    .addOption(jsonOption())
    .addHelpText("after", examples("mayfly lab status", "mayfly lab status --json | jq .state"))
    .action(async ({ json }) => {
      const { labStatus, leftoverLines, statusRows } = await import("../../../lab/index.ts");
      const lab = await labStatus();
      if (lab.state !== "up") process.exitCode = EXIT.unavailable;
      if (json === true) {
        printJson(lab);
        return;
      }
      printLine(renderTable(["PART", "STATE", "PID", "SINCE", "PROBLEM"], statusRows(lab)));
      printLine(`\nThe lab is ${lab.state}.${lab.state === "up" ? "" : " Next: npx mayfly lab up"}`);
      if (lab.leftovers !== undefined)
        for (const line of leftoverLines(lab.leftovers)) printLine(`left: ${line}`);
    });

const doctor = () =>
  new Command("doctor")
    .description(
      "check what the lab needs on this machine; changes nothing; exit code 69 if something is missing",
    )
    .addOption(jsonOption())
    .addHelpText("after", examples("mayfly lab doctor"))
    .action(async ({ json }) => {
      const { labDoctor } = await import("../../../lab/index.ts");
      const report = await labDoctor();
      if (!report.ok) process.exitCode = EXIT.unavailable;
      if (json === true) {
        printJson(report);
        return;
      }
      printLine(
        renderTable(
          ["REQUIREMENT", "", "DETAIL", "COMMAND"],
          report.requirements.map(({ name, ok, detail, command }) => [
            name,
            ok ? "ok" : "missing",
            detail,
            command ?? "",
          ]),
        ),
      );
      printLine(
        `\n${report.ok ? "The lab can run here" : "The lab can't run here yet"} (as ${report.kind}).`,
      );
    });

const env = () =>
  new Command("env")
    .description(
      "print shell lines that put the lab's tools, cluster, Pulumi state and S3 store into a shell",
    )
    .option("--workers", "as the workers in the cluster have it: their ledger, and their state in S3")
    .addHelpText(
      "after",
      examples(
        'eval "$(npx mayfly lab env)" && kubectl get pods -A',
        'eval "$(npx mayfly lab env --workers)" && mayfly submit examples/pi/job.yaml',
      ),
    )
    .action(async ({ workers }) => {
      const { labEnv } = await import("../../../lab/index.ts");
      process.stdout.write(labEnv(workers === true));
    });

const images = () =>
  new Command("images")
    .description("build images that the lab has not yet, and put them into it")
    .argument(
      "<image...>",
      "an engine (flink: all of its versions) or an image such as mayfly.dev/flink:2.3.0",
    )
    .addHelpText("after", examples("mayfly lab images mayfly.dev/flink:2.3.0", "mayfly lab images flink"))
    .action(async (names) => {
      const { labProvide } = await import("../../../lab/index.ts");
      await labProvide(names);
    });

export const labCommand = () =>
  new Command("lab")
    .description("a real Kubernetes on this machine, for laptops and CI")
    .addCommand(up())
    .addCommand(down())
    .addCommand(status())
    .addCommand(doctor())
    .addCommand(env())
    .addCommand(images())
    .addCommand(labS3Command());
