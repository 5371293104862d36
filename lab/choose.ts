import { EXIT, UserError } from "../base/errors.ts";
import { execute } from "../base/process.ts";

/** How the lab runs: as a kind cluster in a container engine, or as processes on this host. */
export type LabKind =
  | { readonly kind: "kind"; readonly engine: "docker" | "podman" }
  | { readonly kind: "processes" };

/** What {@link chooseKind} decides by. */
export interface HostState {
  /** The container engine that answers, Docker before Podman. */
  readonly engine: "docker" | "podman" | undefined;
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  /** `MAYFLY_LAB_KIND`: `kind` or `processes`, to say which where both would do. */
  readonly wish?: string | undefined;
}

/**
 * kind where Docker or Podman runs, else processes on Linux as root.
 * @throws UserError `lab-impossible` with what is missing and the command that provides it; `lab-kind-unknown`.
 */
export function chooseKind({ engine, platform, isRoot, wish }: HostState): LabKind {
  if (wish !== undefined && wish !== "kind" && wish !== "processes") {
    throw new UserError("lab-kind-unknown", `MAYFLY_LAB_KIND is '${wish}'`, {
      exitCode: EXIT.usage,
      hint: "Set it to 'kind' or 'processes', or unset it.",
    });
  }
  if (engine !== undefined && wish !== "processes") return { kind: "kind", engine };
  if (platform === "linux" && isRoot && wish !== "kind") return { kind: "processes" };
  const start = platform === "linux" ? "sudo systemctl start docker" : "open -a Docker";
  throw new UserError(
    "lab-impossible",
    wish === "kind" || platform !== "linux"
      ? "The lab needs Docker or Podman here, and none of them answers."
      : "The lab needs Docker or Podman, or root to run Kubernetes as processes. None of them answers, and you are not root.",
    {
      exitCode: EXIT.unavailable,
      hint:
        platform === "linux" && wish !== "kind"
          ? `Start Docker ('${start}') or run this command as root.`
          : `Install and start Docker ('${start}'), then try again.`,
    },
  );
}

/** Asks the host. Takes as long as a container engine needs to answer. */
export async function hostState(): Promise<HostState> {
  const answers = async (engine: "docker" | "podman"): Promise<boolean> => {
    try {
      // `ps` needs the daemon, where `version` and `info` may answer without it.
      const { code } = await execute(engine, ["ps", "--quiet"], { signal: AbortSignal.timeout(10_000) });
      return code === 0;
    } catch {
      // Not installed, or it hangs: the same to us.
      return false;
    }
  };
  const [docker, podman] = await Promise.all([answers("docker"), answers("podman")]);
  return {
    engine: docker ? "docker" : podman ? "podman" : undefined,
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    wish: process.env["MAYFLY_LAB_KIND"],
  };
}
