import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT, UserError } from "../base/errors.ts";
import { formatElapsed, step } from "../base/progress.ts";
import { clusterDown } from "./cluster/down.ts";
import { readIfThere } from "./host/files.ts";
import { withLock } from "./host/lock.ts";
import { kindDown } from "./kind/down.ts";
import { isOfLab, leftovers, requireRoot, runningOwner, summarize } from "./leftovers.ts";
import { type LabPaths, labPaths } from "./paths.ts";
import { say } from "./say.ts";

/**
 * Stops the lab of this machine, whoever started it, and proves that no process, mount, interface, firewall rule, cgroup
 * or changed kernel setting of it is left. Its data (cluster, objects in S3, images, Pulumi state) stays for the next
 * `lab up`, unless `purge`.
 * @throws UserError `lab-leftovers` with all that could not be removed.
 */
export async function labDown(options: { readonly purge?: boolean | undefined } = {}): Promise<void> {
  const started = performance.now();
  const own = labPaths();
  await withLock(
    "lab",
    () => {
      say("Waiting for another 'mayfly lab' to finish.");
    },
    async () => {
      if (readIfThere(own.kindMarker) !== undefined) {
        await kindDown(own, options.purge === true);
      } else {
        requireRoot();
        await processesDown(labPaths(runningOwner() ?? own.root));
      }
      if (options.purge === true) await purge(own);
    },
  );
  say(`The lab is down (${formatElapsed(performance.now() - started)}): nothing of it is left running.`);
}

async function processesDown(paths: LabPaths): Promise<void> {
  if (!isOfLab(await leftovers(paths))) return;
  await step("lab down", async (report) => {
    await clusterDown(paths, report);
  });
  const left = await leftovers(paths);
  const summary = summarize(left);
  if (summary === undefined) return;
  throw new UserError("lab-leftovers", `Something of the lab is left: ${summary}`, {
    exitCode: EXIT.unavailable,
    hint: `${Object.entries(left)
      .flatMap(([kind, items]: [string, readonly string[]]) => items.map((item) => `${kind}: ${item}`))
      .join("\n")}\nRun 'npx mayfly lab down' again.`,
  });
}

/** Where Kubernetes' host path provisioner keeps volumes; the place is written into its code. */
const HOST_PATH_VOLUMES = "/tmp/hostpath_pv";

/** The cluster's data goes, and with it the Pulumi state that describes what was in it. */
async function purge(paths: LabPaths): Promise<void> {
  await step(`remove ${dirname(paths.root)}/{lab,pulumi,pulumi-home,pulumi-passphrase}`, async () => {
    const owned = [
      paths.root,
      dirname(paths.postgres),
      paths.pulumiHome,
      paths.pulumiState,
      paths.passphrase,
    ];
    for (const path of [...owned, HOST_PATH_VOLUMES]) {
      await rm(path, { recursive: true, force: true });
    }
  });
}
