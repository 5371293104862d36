import { Command } from "@commander-js/extra-typings";
import { UserError } from "../../../base/errors.ts";
import type * as Knowledge from "../../../knowledge/aws/index.ts";
import { examples, jsonOption } from "../options.ts";
import { printJson, printLine, renderTable } from "../output.ts";

/** GiB of root volume that the figures assume; only scratch depends on it, which the table does not show. */
const ROOT_VOLUME_GIB = 100;

/** A name is a type or a whole family. */
function typesNamed(names: readonly string[], { INSTANCE_TYPES, suggestInstanceTypes }: typeof Knowledge) {
  return names.flatMap((name) => {
    const found = INSTANCE_TYPES.filter((type) => type.name === name || type.family === name);
    if (found.length > 0) return found;
    throw new UserError("unknown-instance-type", `Mayfly knows no instance type or family "${name}".`, {
      hint: suggestInstanceTypes(name),
    });
  });
}

/** One type with what EKS leaves of it, with prefix delegation and no local disks for pods, as an environment has it. */
function figures(
  type: Knowledge.InstanceType,
  region: string,
  { eksAllocatable, maxPods, onDemandPrice }: typeof Knowledge,
) {
  const allocatable = eksAllocatable(type, {
    maxPods: maxPods(type, "prefixes-apart"),
    rootVolumeMib: ROOT_VOLUME_GIB * 1024,
    localDisks: "none",
  });
  return {
    ...type,
    podsWithoutPrefixDelegation: maxPods(type, "addresses"),
    allocatable,
    rootVolumeGib: ROOT_VOLUME_GIB,
    pricePerHour: onDemandPrice(type.name, region),
  };
}

const row = (type: ReturnType<typeof figures>): string[] => [
  type.name,
  type.architecture,
  String(type.vcpus),
  `${type.memory / 1024} GiB`,
  `${type.allocatable.cpu}m`,
  `${type.allocatable.memory} MiB`,
  String(type.allocatable.pods),
  type.network.baselineGbps === type.network.burstGbps
    ? `${type.network.baselineGbps} Gbit/s`
    : `${type.network.baselineGbps} to ${type.network.burstGbps} Gbit/s`,
  type.localDisks === undefined ? "-" : `${type.localDisks.count} × ${type.localDisks.sizeGb} GB`,
  type.pricePerHour === undefined
    ? "unknown"
    : `$${type.pricePerHour.amount.toFixed(4)} (${type.pricePerHour.asOf})`,
];

const HEAD = [
  "TYPE",
  "ARCH",
  "VCPU",
  "MEMORY",
  "CPU",
  "FOR PODS",
  "PODS",
  "NETWORK",
  "LOCAL DISKS",
  "PER HOUR",
];

export const instancesCommand = () =>
  new Command("instances")
    .description("show what is known of EC2 instance types: size, what EKS leaves for pods, price")
    .argument("[names...]", "instance types or families; without any, the names of all families")
    .option("--region <region>", "region of the prices", "us-east-1")
    .addOption(jsonOption())
    .addHelpText("after", examples("mayfly instances m7g.4xlarge r7i --region eu-west-1", "mayfly instances"))
    .action(async (names, { region, json }) => {
      const aws = await import("../../../knowledge/aws/index.ts");
      if (!aws.isRegion(region)) {
        throw new UserError("unknown-region", `AWS has no region "${region}".`, {
          path: "--region",
          hint: aws.suggestRegions(region),
        });
      }
      const types = names.length === 0 ? aws.INSTANCE_TYPES : typesNamed(names, aws);
      if (json === true) {
        printJson(types.map((type) => figures(type, region, aws)));
        return;
      }
      if (names.length === 0) {
        const families = [...new Set(types.map(({ family }) => family))];
        printLine(`${types.length} instance types of ${families.length} families: ${families.join(", ")}`);
        printLine("Next: npx mayfly instances m7g");
        return;
      }
      printLine(
        renderTable(
          HEAD,
          types.map((type) => row(figures(type, region, aws))),
        ),
      );
      printLine(
        `\nEstimates; prices on demand in ${region}, Linux. Sources and assumptions: docs/instances.md`,
      );
    });
