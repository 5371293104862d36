/**
 * Text for a container's `command` or `env` that the kubelet must not change: it expands `$(NAME)` and takes `$$` for `$`.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export const literal = (text: string): string => text.replaceAll("$", "$$$$");
