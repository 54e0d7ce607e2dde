package accrete;

import static accrete.AccreteException.typed;

import accrete.v1.CatalogServiceGrpc;
import accrete.v1.CatalogServiceGrpc.CatalogServiceBlockingStub;
import accrete.v1.ExperimentServiceGrpc;
import accrete.v1.ExperimentServiceGrpc.ExperimentServiceBlockingStub;
import accrete.v1.ImportServiceGrpc;
import accrete.v1.ImportServiceGrpc.ImportServiceBlockingStub;
import accrete.v1.ListModelsRequest;
import accrete.v1.Model;
import accrete.v1.ModelServiceGrpc;
import accrete.v1.ModelServiceGrpc.ModelServiceBlockingStub;
import accrete.v1.RateRequest;
import accrete.v1.RateResponse;
import accrete.v1.Rating;
import accrete.v1.RecommendRequest;
import accrete.v1.RecommenderServiceGrpc;
import accrete.v1.RecommenderServiceGrpc.RecommenderServiceBlockingStub;
import accrete.v1.UserServiceGrpc;
import accrete.v1.UserServiceGrpc.UserServiceBlockingStub;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The services of a server. Calls that are safe to repeat are repeated while the server is UNAVAILABLE for a moment. It
 * may be used by many threads at once.
 *
 * <p>The methods of this class fail with an {@link AccreteException}; those of the generated stubs do within {@link
 * AccreteException#typed}.
 */
public final class AccreteClient implements AutoCloseable {
  private final ManagedChannel connection;
  private final Channel channel;

  AccreteClient(ManagedChannel connection, Supplier<String> token, String address) {
    this.connection = connection;
    this.channel = ClientInterceptors.intercept(connection, new CallInterceptor(token, address));
  }

  /** Connects to the server at the environment's {@code ACCRETE_ADDRESS}, or to the one of this machine. */
  public static AccreteClient connect() {
    return builder().build();
  }

  /** Connects with settings. */
  public static AccreteClientBuilder builder() {
    return new AccreteClientBuilder();
  }

  /** Takes ratings, answers with recommendations, and keeps the models good. */
  public RecommenderServiceBlockingStub recommender() {
    return RecommenderServiceGrpc.newBlockingStub(channel);
  }

  /** What models there are; loads, versions, exports and tunes them. */
  public ModelServiceBlockingStub models() {
    return ModelServiceGrpc.newBlockingStub(channel);
  }

  /** What is known of users, and what they did. */
  public UserServiceBlockingStub users() {
    return UserServiceGrpc.newBlockingStub(channel);
  }

  /** What is known of items. */
  public CatalogServiceBlockingStub catalog() {
    return CatalogServiceGrpc.newBlockingStub(channel);
  }

  /** The files that models can be fused from. */
  public ImportServiceBlockingStub imports() {
    return ImportServiceGrpc.newBlockingStub(channel);
  }

  /** Compares models on live traffic. */
  public ExperimentServiceBlockingStub experiments() {
    return ExperimentServiceGrpc.newBlockingStub(channel);
  }

  /** What the calls go over, for other kinds of stubs: {@code RecommenderServiceGrpc.newFutureStub}. */
  public Channel channel() {
    return channel;
  }

  /** Learns a batch of ratings: all of it or none, and once, however often it has to be sent. */
  public RateResponse rate(Iterable<Rating> ratings) {
    return typed(() -> recommender().rate(RateRequest.newBuilder().addAllRatings(ratings).build()));
  }

  /** Sends many ratings, in batches, over a stream that outlives its connection. */
  public RatingStream ratingStream() {
    return ratingStream(RatingStream.Options.DEFAULT);
  }

  /** Sends many ratings, in batches, over a stream that outlives its connection. */
  public RatingStream ratingStream(RatingStream.Options options) {
    return new RatingStream(RecommenderServiceGrpc.newStub(channel), options);
  }

  /** Waits until what was answered with this revision, to anybody, is part of recommendations. */
  public void waitForRevision(String revision, Duration timeout) {
    typed(() -> {
      var listed = models().listModels(ListModelsRequest.newBuilder().setPageSize(1000).build());
      var model = listed.getModelsList().stream().filter(Model::getIsDefault).map(Model::getName).findFirst();
      // It ranks nothing, and waits. The default model is named, so that it is outside every experiment.
      var request = RecommendRequest.newBuilder().setUserId("-").setModel(model.orElse("")).addCandidateItemIds("-")
          .setPageSize(1).setIncludeSeen(true).setMinRevision(revision).build();
      return recommender().withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS).recommend(request);
    });
  }

  /** Ends the connection, and with it the calls that are under way. */
  @Override
  public void close() {
    try {
      if (!connection.shutdownNow().awaitTermination(5, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the connection does not end");
      }
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    }
  }
}
