package dev.mayfly.examples;

import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** A stream that has an end, and reaches it at once. */
public final class EndsAtOnce {
  private EndsAtOnce() {}

  public static void main(String[] arguments) throws Exception {
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    environment.fromSequence(1, 10).print();
    environment.execute();
  }
}
