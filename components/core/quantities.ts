// Kubernetes canonicalises quantities when it stores them (1000m becomes 1, 1024Mi becomes 1Gi); writing them in that form keeps
// `pulumi refresh` free of changes: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/

/** Millicores as a canonical CPU quantity: `500m`, `2`. */
export const cpu = (millicores: number): string =>
  millicores % 1000 === 0 ? String(millicores / 1000) : `${millicores}m`;

/** MiB as a canonical quantity: `512Mi`, `2Gi`. */
export function mebibytes(mib: number): string {
  if (mib === 0) return "0";
  if (mib % (1024 * 1024) === 0) return `${mib / (1024 * 1024)}Ti`;
  return mib % 1024 === 0 ? `${mib / 1024}Gi` : `${mib}Mi`;
}
