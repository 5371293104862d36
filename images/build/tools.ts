import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { EXIT, UserError } from "../../base/errors.ts";

/** Programs that building an image without Docker needs, and the Debian package of each. */
export const IMAGE_PROGRAMS: Readonly<Record<string, string>> = {
  mmdebstrap: "mmdebstrap",
  mvn: "maven",
  pip3: "python3-pip",
  tar: "tar",
  unshare: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
  chroot: "coreutils",
  ip: "iproute2",
};

/** Debian's signing keys, which other distributions don't have by themselves. */
const KEYS = { file: "/usr/share/keyrings/debian-archive-keyring.gpg", debian: "debian-archive-keyring" };

const FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** PATH with the folders of root's programs, which `sudo` may leave out. */
export const systemPath = (): string => [process.env["PATH"] ?? "", ...FOLDERS].join(":");

function isThere(program: string): boolean {
  return systemPath()
    .split(":")
    .some((folder) => {
      try {
        accessSync(join(folder, program), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Debian packages to install before images can be built here. */
export const missingImagePackages = (): string[] => [
  ...new Set([
    ...Object.entries(IMAGE_PROGRAMS).flatMap(([program, debian]) => (isThere(program) ? [] : [debian])),
    ...(existsSync(KEYS.file) ? [] : [KEYS.debian]),
  ]),
];

/**
 * Refuses to start a build that can't end.
 * @throws UserError `images-need-linux-root`, `image-tools-missing`
 */
export function requireTools(): void {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new UserError("images-need-linux-root", "Images are built without Docker only by root on Linux.", {
      exitCode: EXIT.unavailable,
      hint: "With Docker: docker build -t mayfly.dev/spark:4.0.1 -f images/spark/4.0.1/Dockerfile images/spark",
    });
  }
  const packages = missingImagePackages();
  if (packages.length === 0) return;
  throw new UserError("image-tools-missing", `Building images needs Debian's ${packages.join(", ")}.`, {
    exitCode: EXIT.unavailable,
    hint: `apt-get install --no-install-recommends ${packages.join(" ")}`,
  });
}
