/** Something wrong in a config, found by what holds between its members. */
export interface Problem {
  /** Below the config namespace: `pools[0].zones[1]`. */
  readonly path: string;
  /** What is wrong and what is allowed. */
  readonly message: string;
}
