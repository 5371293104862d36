package dev.mayfly.examples;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.streaming.api.datastream.AsyncDataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.async.ResultFuture;
import org.apache.flink.streaming.api.functions.async.RichAsyncFunction;
import org.apache.flink.streaming.util.retryable.AsyncRetryStrategies.FixedDelayRetryStrategyBuilder;
import org.apache.flink.streaming.util.retryable.RetryPredicates;

/**
 * Asks a service about each number and writes {@code number,answer}. The service does the hard work and may be as large as it takes; the
 * stream only waits for many answers at once. Arguments: the service's URL, the folder to write, {@code --rate} numbers a second (100),
 * {@code --calls} at once of each task (50).
 */
public final class Enriched {
  private Enriched() {}

  public static void main(String[] arguments) throws Exception {
    Options options = new Options(Arrays.copyOfRange(arguments, Math.min(1, arguments.length), arguments.length));
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    // What is not answered within the time, however often it was tried, is an error of the job, which then goes on from its last
    // checkpoint: no number is lost.
    Numbers.write(
        AsyncDataStream.unorderedWaitWithRetry(
                Numbers.read(environment, options),
                new Ask(arguments[0]),
                120,
                TimeUnit.SECONDS,
                (int) options.number("--calls", 50),
                new FixedDelayRetryStrategyBuilder<String>(100, 1000)
                    .ifException(RetryPredicates.HAS_EXCEPTION_PREDICATE)
                    .build())
            .name("ask")
            .uid("ask"),
        options);
    environment.execute();
  }

  private static final class Ask extends RichAsyncFunction<Long, String> {
    private final String service;
    private transient HttpClient client;

    Ask(String service) {
      this.service = service;
    }

    @Override
    public void open(OpenContext context) {
      client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build();
    }

    @Override
    public void asyncInvoke(Long number, ResultFuture<String> result) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(service + "?number=" + number)).timeout(Duration.ofSeconds(20)).build();
      client
          .sendAsync(request, HttpResponse.BodyHandlers.ofString())
          .whenComplete(
              (answer, failure) -> {
                if (failure != null) {
                  result.completeExceptionally(failure);
                } else if (answer.statusCode() != 200) {
                  result.completeExceptionally(new IllegalStateException(service + " answers " + answer.statusCode()));
                } else {
                  result.complete(List.of(number + "," + answer.body().trim()));
                }
              });
    }
  }
}
