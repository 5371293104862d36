/** What every engine image stands on: a small Debian with Java and Python. One layer, shared by all of them. */
export const BASE = {
  suite: "bookworm",
  /** The image that a Dockerfile starts from instead; the same suite. */
  dockerImage: "debian:bookworm-slim",
  packages: ["ca-certificates", "openjdk-17-jre-headless", "python3", "tini"],
  /** Nobody reads these in a container. Licences stay. */
  leftOut: ["doc", "man", "locale", "info", "lintian", "groff"].map((folder) => `/usr/share/${folder}/*`),
  kept: ["/usr/share/doc/*/copyright"],
  /** The JRE package wants to write here: https://bugs.debian.org/863199 */
  emptyFolders: ["/usr/share/man/man1"],
} as const;

/**
 * Time stamp (seconds since 1970) of every file that has no older one of its own, so that the same content gives the same layer:
 * https://reproducible-builds.org/docs/source-date-epoch/
 */
export const SOURCE_DATE_EPOCH = 1_767_225_600;
