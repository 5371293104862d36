package dev.mayfly.examples;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** A stream whose tasks wait forever for something before they take their first number. The job is RUNNING, its tasks never are. */
public final class NeverHealthy {
  private NeverHealthy() {}

  public static void main(String[] arguments) throws Exception {
    Options options = new Options(arguments);
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    Numbers.write(
        Numbers.read(environment, options).map(new Waits()).name("waits").uid("waits"), options);
    environment.execute();
  }

  private static final class Waits extends RichMapFunction<Long, String> {
    @Override
    public void open(OpenContext context) throws InterruptedException {
      Thread.sleep(Long.MAX_VALUE);
    }

    @Override
    public String map(Long number) {
      return String.valueOf(number);
    }
  }
}
