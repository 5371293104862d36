import type { Outcome } from "../../schema/outcome.ts";
import type { ObservedPod, ObservedRun } from "./observe.ts";

/** Reasons of a waiting container whose image can't be had: https://github.com/kubernetes/kubernetes/blob/v1.34.3/pkg/kubelet/images/types.go */
const REASONS: Readonly<Record<string, number>> = {
  ImagePullBackOff: 1,
  ErrImagePull: 2,
  RegistryUnavailable: 2,
  ImageInspectError: 2,
  SignatureValidationFailed: 3,
  InvalidImageName: 4,
  ErrImageNeverPull: 4,
};

/** Answers of registries and runtimes that a further try does not change. */
const PERMANENT =
  /not found|notfound|manifest unknown|does not exist|repository name .*invalid|invalid reference|no match for platform|unauthorized|authentication required|access denied|denied:|forbidden/i;
/** Looks like the above, but is the network's: `lookup registry.example on 10.96.0.10:53: no such host`. */
const NETWORK = /no such host|i\/o timeout|connection refused|connection reset|TLS handshake|EOF|50[0-9] /;

/** How much a container's waiting reason tells of an image problem; 0 when it is none. */
export function pullRank(waiting: { readonly reason: string; readonly message: string | undefined }): number {
  const rank = REASONS[waiting.reason] ?? 0;
  return rank > 0 && isPermanent(waiting.reason, waiting.message ?? "") ? rank + 2 : rank;
}

function isPermanent(reason: string, message: string): boolean {
  if (reason === "ErrImageNeverPull" || reason === "InvalidImageName") return true;
  return PERMANENT.test(message) && !NETWORK.test(message);
}

/** Tries of a pull after which a passing fault is none any more; the kubelet's back-off makes that about a minute. */
const TRIES = 4;

/**
 * Whether an image can't be had: at once where a further try can't help, else after some failed pulls or the image deadline.
 * @param concerns Which pods count: one that replaces a lost worker may wait.
 */
export function imageVerdict(
  known: ObservedRun,
  concerns: (pod: ObservedPod) => boolean,
  imageSeconds: number,
  now: number,
): Outcome | undefined {
  for (const pod of Object.values(known.pods)) {
    const { pull } = pod;
    if (pull?.open !== true || !concerns(pod)) continue;
    const failures = Object.values(known.events)
      .filter(
        ({ about, reason, message }) =>
          about === pod.view.uid && reason === "Failed" && /pull/i.test(message),
      )
      .reduce((sum, { count }) => sum + count, 0);
    const permanent = isPermanent(pull.reason, pull.message);
    if (!permanent && failures < TRIES && now - pull.sinceSeenAt < imageSeconds * 1000) continue;
    return { kind: "image", image: pull.image, message: sentence(pod, permanent, failures) };
  }
  return undefined;
}

function sentence(pod: ObservedPod, permanent: boolean, failures: number): string {
  const image = pod.pull?.image ?? "";
  const node = pod.view.node ?? "its node";
  if (pod.pull?.reason === "ErrImageNeverPull") {
    return `Image ${image} is not on node ${node}, and its pull policy is Never: import it there, or correct the job's version or image.`;
  }
  if (pod.pull?.reason === "InvalidImageName") {
    return `Image ${image} is no valid image name: correct the job's \`image\`.`;
  }
  const cause = shorten(pod.pull?.message ?? "");
  const tried = permanent ? "" : ` after ${Math.max(1, failures)} ${failures > 1 ? "tries" : "try"}`;
  return `Node ${node} can't pull image ${image}${tried}${cause === "" ? "" : `: ${cause}`}.`;
}

/** The last cause of a pull error, without the image's name at each level. */
function shorten(message: string): string {
  const cause = message
    .replace(/^Back-off pulling image "[^"]*"(: )?/, "")
    .replace(/^(ErrImagePull|RegistryUnavailable): /, "")
    .replace(/^rpc error: code = \w+ desc = /, "")
    .replace(/^failed to pull and unpack image "[^"]*": /, "")
    .replace(/^failed to resolve reference "[^"]*": /, "");
  return cause.length > 300 ? `${cause.slice(0, 300)}…` : cause.replace(/\.$/, "");
}
