import { EXIT, UserError } from "../../base/errors.ts";
import { childEnv, execute } from "../../base/process.ts";
import type { Report } from "../../base/progress.ts";
import { readIfThere } from "./files.ts";
import { installCommand, type PackageManager, packageManagerOf } from "./requirements.ts";

/** How this host installs packages. */
export const hostPackageManager = (): PackageManager =>
  packageManagerOf(readIfThere("/etc/os-release") ?? "");

/**
 * Installs Debian packages by apt-get; says on standard error what it does. The package lists are only fetched if
 * the first try fails, since they rarely are out of date and take long.
 * @throws UserError `packages-missing` elsewhere than on Debian and Ubuntu, or if apt-get fails.
 */
export async function ensurePackages(missing: readonly string[], report: Report): Promise<void> {
  const packages = [...new Set(missing)];
  if (packages.length === 0) return;
  const manager = hostPackageManager();
  if (manager === "unknown") {
    throw new UserError("packages-missing", `This machine lacks programs that the lab needs.`, {
      exitCode: EXIT.unavailable,
      hint: `Please ${installCommand(packages, manager)}. 'mayfly lab doctor' lists them one by one.`,
    });
  }
  process.stderr.write(`Installing Debian packages: ${installCommand(packages, manager)}\n`);
  report(packages.join(" "));
  if (await aptGet(["install", "--no-install-recommends", "--yes", ...packages])) return;
  report("package lists");
  await aptGet(["update"]);
  report(packages.join(" "));
  if (await aptGet(["install", "--no-install-recommends", "--yes", ...packages])) return;
  throw new UserError("packages-missing", `apt-get could not install ${packages.join(" ")}`, {
    exitCode: EXIT.unavailable,
    hint: `Run '${installCommand(packages, manager)}' and look at what it says.`,
  });
}

async function aptGet(args: readonly string[]): Promise<boolean> {
  const env = childEnv({ DEBIAN_FRONTEND: "noninteractive" });
  const { code } = await execute("apt-get", ["--quiet", ...args], { env });
  return code === 0;
}
