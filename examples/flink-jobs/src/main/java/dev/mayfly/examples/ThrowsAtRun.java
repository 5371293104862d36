package dev.mayfly.examples;

import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A stream that fails on the number {@code --at}, as often as it gets there: it uses up any budget of restarts. Other arguments as of
 * {@link KeyedCounts}.
 */
public final class ThrowsAtRun {
  private ThrowsAtRun() {}

  public static void main(String[] arguments) throws Exception {
    Options options = new Options(arguments);
    long at = options.number("--at", 100);
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    Numbers.write(
        Numbers.read(environment, options)
            .map(
                number -> {
                  if (number == at) {
                    throw new IllegalStateException("number " + number + " has no price");
                  }
                  return "0," + (number + 1) + "," + number;
                })
            .setParallelism(1)
            .name("price")
            .uid("price"),
        options);
    environment.execute();
  }
}
