import accrete.v1.RatingOuterClass.Rating;
import accrete.v1.Recommender.RateRequest;
import accrete.v1.Recommender.RecommendRequest;
import accrete.v1.RecommenderServiceGrpc;
import com.google.rpc.ErrorInfo;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** Rates an item and is recommended others. Usage: Example [VALUE] */
final class Example {
  /** Both calls are safe to repeat: Rate has a request id. */
  static final Map<String, ?> RETRIES = Map.of("methodConfig", List.of(Map.of(
      "name", List.of(
          Map.of("service", "accrete.v1.RecommenderService", "method", "Rate"),
          Map.of("service", "accrete.v1.RecommenderService", "method", "Recommend")),
      "retryPolicy", Map.of("maxAttempts", 4.0, "initialBackoff", "0.1s", "maxBackoff", "1s",
          "backoffMultiplier", 2.0, "retryableStatusCodes", List.of("UNAVAILABLE")))));

  public static void main(String[] arguments) throws Exception {
    var address = System.getenv().getOrDefault("ACCRETE_ADDRESS", "127.0.0.1:50051");
    var value = arguments.length > 0 ? Double.parseDouble(arguments[0]) : 5;
    var channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create())
        .defaultServiceConfig(RETRIES).build();
    var client = RecommenderServiceGrpc.newBlockingStub(channel);
    try {
      var rating = Rating.newBuilder().setUserId("jana").setItemId("solaris").setValue(value);
      var revision = client.withDeadlineAfter(10, TimeUnit.SECONDS).rate(RateRequest.newBuilder()
          .setRequestId(UUID.randomUUID().toString()).addRatings(rating).build()).getRevision();
      var answer = client.withDeadlineAfter(10, TimeUnit.SECONDS).recommend(RecommendRequest.newBuilder()
          .setUserId("jana").setMinRevision(revision).build());
      System.out.println("model " + answer.getModel());
      answer.getItemsList().forEach(item -> System.out.println(item.getItemId() + " " + item.getScore()));
    } catch (StatusRuntimeException error) {
      for (var detail : StatusProto.fromThrowable(error).getDetailsList()) {
        if (detail.is(ErrorInfo.class)) System.err.print(detail.unpack(ErrorInfo.class).getReason() + " ");
      }
      System.err.println(error.getMessage());
      System.exit(1);
    } finally {
      channel.shutdownNow().awaitTermination(1, TimeUnit.SECONDS);
    }
  }
}
