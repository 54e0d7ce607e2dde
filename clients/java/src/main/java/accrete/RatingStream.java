package accrete;

import accrete.v1.RateStreamRequest;
import accrete.v1.RateStreamResponse;
import accrete.v1.Rating;
import accrete.v1.RecommenderServiceGrpc.RecommenderServiceStub;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Sends ratings in batches. {@link #send} waits while as much as allowed is under way, so that a fast producer does not
 * outrun the server. When the connection breaks, what was not answered is sent again with the same request ids, so that
 * nothing is lost and nothing is learned twice.
 */
public final class RatingStream implements AutoCloseable {
  private static final long FIRST_WAIT_MS = 100;
  private static final long LONGEST_WAIT_MS = 1000;

  private final RecommenderServiceStub recommender;
  private final Options options;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Window window;
  private final Thread thread;
  private AccreteException error;
  /** Whether the caller knows of the error: it is thrown once by what is called, and not again by the end. */
  private boolean wasThrown;
  private boolean closing;
  private ClientCallStreamObserver<RateStreamRequest> call;
  private long waitMs = FIRST_WAIT_MS;
  private long progressAt = System.nanoTime();

  /**
   * How a stream works.
   *
   * @param batchSize ratings of a batch, at most
   * @param maxInFlight batches that may wait for their answers
   * @param giveUpAfter how long the server may be away while ratings wait for it
   * @param onRefused is told of every batch that the server refuses, by another thread; without it, the first one ends
   *     the stream
   */
  public record Options(
      int batchSize, int maxInFlight, Duration giveUpAfter, Optional<Consumer<AccreteException>> onRefused) {
    /** Batches of 500, 8 of them under way, a minute without a server. */
    public static final Options DEFAULT = new Options(500, 8, Duration.ofMinutes(1), Optional.empty());

    /** The same with other batches. */
    public Options withBatchSize(int batchSize) {
      return new Options(batchSize, maxInFlight, giveUpAfter, onRefused);
    }

    /** The same with more or fewer batches under way. */
    public Options withMaxInFlight(int maxInFlight) {
      return new Options(batchSize, maxInFlight, giveUpAfter, onRefused);
    }

    /** The same with more or less patience. */
    public Options withGiveUpAfter(Duration giveUpAfter) {
      return new Options(batchSize, maxInFlight, giveUpAfter, onRefused);
    }

    /** The same, going on after a batch that is refused. */
    public Options withOnRefused(Consumer<AccreteException> onRefused) {
      return new Options(batchSize, maxInFlight, giveUpAfter, Optional.of(onRefused));
    }
  }

  RatingStream(RecommenderServiceStub recommender, Options options) {
    this.recommender = recommender;
    this.options = options;
    this.window = new Window(options.batchSize(), options.maxInFlight());
    this.thread = new Thread(this::run, "accrete-rating-stream");
    this.thread.setDaemon(true);
    this.thread.start();
  }

  /** What became of the ratings so far. */
  public StreamSummary summary() {
    return locked(window::summary);
  }

  /** Takes a rating; waits while too much is under way. Throws what ended the stream. */
  public void send(Rating rating) {
    lock.lock();
    try {
      if (closing) {
        throw new IllegalStateException("the stream is closed");
      }
      await(() -> !window.isFull());
      if (window.isEmpty()) {
        progressAt = System.nanoTime();
      }
      window.add(rating);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until everything that was sent is answered. */
  public StreamSummary flush() {
    lock.lock();
    try {
      await(window::isEmpty);
      return window.summary();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until everything is answered, and ends the stream. */
  @Override
  public void close() {
    try {
      if (locked(() -> !closing && !wasThrown)) {
        flush();
      }
    } finally {
      cancel();
    }
  }

  /** Ends the stream; what was not answered may be learned or not. */
  public void cancel() {
    locked(() -> {
      closing = true;
      if (error == null && !window.isEmpty()) {
        error = AccreteException.of(Status.CANCELLED.withDescription("the stream was given up"));
      }
      changed.signalAll();
      return null;
    });
    try {
      thread.join();
    } catch (InterruptedException interrupted) {
      throw interrupted(interrupted);
    }
  }

  private void await(BooleanSupplier isTrue) {
    try {
      while (error == null && !isTrue.getAsBoolean()) {
        changed.await();
      }
    } catch (InterruptedException interrupted) {
      throw interrupted(interrupted);
    }
    if (error != null) {
      wasThrown = true;
      throw error;
    }
  }

  private <T> T locked(Supplier<T> action) {
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }

  private static AccreteException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    return AccreteException.of(Status.CANCELLED.withDescription("the thread was interrupted").withCause(cause));
  }

  private boolean mustStop() {
    return closing || error != null;
  }

  private void run() {
    lock.lock();
    try {
      while (!mustStop()) {
        var lost = followOneConnection();
        var isLong = !window.isEmpty() && System.nanoTime() - progressAt > options.giveUpAfter().toNanos();
        if (error == null && !closing && (isLong || !lost.isLostConnection())) {
          error = lost;
          changed.signalAll();
        }
        var left = TimeUnit.MILLISECONDS.toNanos(waitMs);
        waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
        while (!mustStop() && left > 0) {
          left = changed.awaitNanos(left);
        }
      }
    } catch (InterruptedException interrupted) {
      error = interrupted(interrupted);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Sends on one connection for as long as it lasts; what it ended with. */
  private AccreteException followOneConnection() throws InterruptedException {
    window.connect();
    var connection = new Connection();
    recommender.rateStream(connection);
    while (connection.end == null && error == null && !(closing && !window.isDue())) {
      if (window.isDue()) {
        call.onNext(window.next());
      } else {
        changed.await();
      }
    }
    if (error != null) {
      call.cancel("the stream ended", error);
    } else if (connection.end == null) {
      call.onCompleted();
    }
    while (connection.end == null) {
      changed.await();
    }
    return connection.end;
  }

  /** Takes the answers of one connection. */
  private final class Connection implements ClientResponseObserver<RateStreamRequest, RateStreamResponse> {
    private AccreteException end;

    @Override
    public void beforeStart(ClientCallStreamObserver<RateStreamRequest> opened) {
      call = opened;
    }

    @Override
    public void onNext(RateStreamResponse answer) {
      var refusal = locked(() -> {
        progressAt = System.nanoTime();
        waitMs = FIRST_WAIT_MS;
        changed.signalAll();
        return window.answered(answer);
      });
      refusal.ifPresent(options.onRefused().orElse(this::fail));
    }

    @Override
    public void onError(Throwable thrown) {
      end(thrown instanceof StatusRuntimeException status
          ? AccreteException.of(status)
          : AccreteException.of(Status.fromThrowable(thrown)));
    }

    @Override
    public void onCompleted() {
      end(AccreteException.of(Status.UNAVAILABLE.withDescription("the server ended the stream")));
    }

    private void end(AccreteException why) {
      locked(() -> {
        end = why;
        changed.signalAll();
        return null;
      });
    }

    private void fail(AccreteException refusal) {
      locked(() -> {
        error = error == null ? refusal : error;
        changed.signalAll();
        return null;
      });
    }
  }
}
