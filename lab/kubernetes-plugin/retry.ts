// What client-go tries again, of which the official plugin's every request is made, and no more:
// https://github.com/kubernetes/kubernetes/blob/v1.34.3/staging/src/k8s.io/client-go/rest/with_retry.go and request.go

/** Further tries of one request. */
export const MAX_RETRIES = 10;

/** A broken connection is tried again after this, in seconds. */
const AFTER_BREAK = 1;

/**
 * Seconds until the next try of a request that was answered; undefined where there is none. Any request, also one that writes, is
 * tried again where the server is busy or fails *and* says when to come again.
 * @param retryAfter The header of that name: seconds; a date is not read.
 */
export function retryAfterAnswer(status: number, retryAfter: string | undefined): number | undefined {
  if (status !== 429 && status < 500) return undefined;
  return retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) : undefined;
}

/**
 * The same of a request without an answer. Only reads whose connection broke: nobody knows whether a write was done, and where nothing
 * listens client-go does not come again.
 * @param code Node.js's of the error.
 */
export const retryAfterError = (method: string, code: string): number | undefined =>
  method === "GET" && (code === "ECONNRESET" || code === "EPIPE") ? AFTER_BREAK : undefined;
