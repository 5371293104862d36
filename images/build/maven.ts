/** A jar of Maven Central. */
export interface MavenJar {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
}

/** The jar's file name in Maven Central's layout. */
export const jarFile = ({ artifact, version }: MavenJar): string => `${artifact}-${version}.jar`;

/** Input of `sha256sum --check`. @param sums By file name. */
export const jarSums = (jars: readonly MavenJar[], sums: Readonly<Record<string, string>>): string =>
  jars
    .map(jarFile)
    .toSorted()
    .map((file) => `${sums[file] ?? ""}  ${file}\n`)
    .join("");

/** A Maven project that only names jars: `mvn dependency:copy -DoutputDirectory=…` fetches exactly these, without what they depend on. */
export function pom(jars: readonly MavenJar[]): string {
  const items = jars.map(
    ({ group, artifact, version }) =>
      `            <artifactItem><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></artifactItem>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.mayfly</groupId>
  <artifactId>s3-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <build>
    <plugins>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-dependency-plugin</artifactId>
        <version>3.6.1</version>
        <configuration>
          <artifactItems>
${items.join("\n")}
          </artifactItems>
        </configuration>
      </plugin>
    </plugins>
  </build>
</project>
`;
}
