package accrete;

import accrete.v1.Rating;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** A call that failed. There is a subclass for each status of gRPC, filled from the details that the server sends. */
public class AccreteException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Status.Code code;
  private final transient com.google.rpc.Status details;
  private final transient List<Rating> ratings;

  private AccreteException(Failure failure) {
    super(failure.message(), failure.cause());
    this.code = failure.code();
    this.details = failure.details();
    this.ratings = failure.ratings();
  }

  /** What gRPC calls it. */
  public final Status.Code code() {
    return code;
  }

  /** What failed, for programs: {@code MODEL_NOT_FOUND}. Empty when the error comes from no server of Accrete. */
  public final String reason() {
    return find(details, ErrorInfo.class).map(ErrorInfo::getReason).orElse("");
  }

  /** What {@link #reason()} is about: the name of a model, a limit. */
  public final Map<String, String> metadata() {
    return find(details, ErrorInfo.class).map(ErrorInfo::getMetadataMap).orElse(Map.of());
  }

  /** The fields that are wrong, of an {@link InvalidArgument}. */
  public final List<Violation> violations() {
    return find(details, BadRequest.class).stream()
        .flatMap(bad -> bad.getFieldViolationsList().stream())
        .map(each -> new Violation(each.getField(), each.getDescription()))
        .toList();
  }

  /** When it is worth trying again. Empty: waiting does not help, or nobody knows. */
  public final Optional<Duration> retryAfter() {
    return find(details, RetryInfo.class)
        .map(RetryInfo::getRetryDelay)
        .map(delay -> Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
  }

  /** The batch that a {@link RatingStream} had refused. */
  public final List<Rating> ratings() {
    return ratings;
  }

  /** Whether the way to the server broke, so that nobody knows what became of the call. */
  final boolean isLostConnection() {
    return code == Status.Code.UNAVAILABLE || (code == Status.Code.INTERNAL && reason().isEmpty());
  }

  /**
   * Makes a call; if it fails, with an exception of this class.
   *
   * <pre>{@code AccreteException.typed(() -> client.users().getUser(request))}</pre>
   */
  public static <T> T typed(Supplier<T> call) {
    try {
      return call.get();
    } catch (StatusRuntimeException error) {
      throw of(error);
    }
  }

  /** What a stub threw, as one of these. */
  public static AccreteException of(StatusRuntimeException error) {
    var details = StatusProto.fromThrowable(error);
    return of(error.getStatus(), details, List.of(), error);
  }

  /** What a status in an answer stands for. */
  static AccreteException of(com.google.rpc.Status details, List<Rating> ratings) {
    return of(Status.fromCodeValue(details.getCode()).withDescription(details.getMessage()), details, ratings, null);
  }

  static AccreteException of(Status status) {
    return of(status, com.google.rpc.Status.getDefaultInstance(), List.of(), status.getCause());
  }

  private static AccreteException of(
      Status status, com.google.rpc.Status details, List<Rating> ratings, Throwable cause) {
    var code = status.getCode();
    var name = find(details, ErrorInfo.class).map(ErrorInfo::getReason).orElse(code.name());
    var failure = new Failure(code, name + ": " + status.getDescription(), details, ratings, cause);
    return switch (code) {
      case CANCELLED -> new Cancelled(failure);
      case UNKNOWN -> new Unknown(failure);
      case INVALID_ARGUMENT -> new InvalidArgument(failure);
      case DEADLINE_EXCEEDED -> new DeadlineExceeded(failure);
      case NOT_FOUND -> new NotFound(failure);
      case ALREADY_EXISTS -> new AlreadyExists(failure);
      case PERMISSION_DENIED -> new PermissionDenied(failure);
      case RESOURCE_EXHAUSTED -> new ResourceExhausted(failure);
      case FAILED_PRECONDITION -> new FailedPrecondition(failure);
      case ABORTED -> new Aborted(failure);
      case OUT_OF_RANGE -> new OutOfRange(failure);
      case UNIMPLEMENTED -> new Unimplemented(failure);
      case INTERNAL -> new Internal(failure);
      case UNAVAILABLE -> new Unavailable(failure);
      case DATA_LOSS -> new DataLoss(failure);
      case UNAUTHENTICATED -> new Unauthenticated(failure);
      case OK -> new AccreteException(failure);
    };
  }

  private static <T extends Message> Optional<T> find(com.google.rpc.Status details, Class<T> kind) {
    if (details == null) {
      return Optional.empty();
    }
    return details.getDetailsList().stream().filter(each -> each.is(kind)).findFirst().map(each -> unpack(each, kind));
  }

  private static <T extends Message> T unpack(Any detail, Class<T> kind) {
    try {
      return detail.unpack(kind);
    } catch (InvalidProtocolBufferException error) {
      throw new IllegalArgumentException("the server sent a detail that is no protobuf", error);
    }
  }

  /** What a call that failed says of itself. */
  private record Failure(
      Status.Code code, String message, com.google.rpc.Status details, List<Rating> ratings, Throwable cause) {}

  /** The call was cancelled, usually by the caller. */
  public static final class Cancelled extends AccreteException {
    private static final long serialVersionUID = 1L;

    private Cancelled(Failure failure) {
      super(failure);
    }
  }

  /** Something between here and the server failed without saying what. */
  public static final class Unknown extends AccreteException {
    private static final long serialVersionUID = 1L;

    private Unknown(Failure failure) {
      super(failure);
    }
  }

  /** The request is wrong in itself; {@link #violations()} names the fields. */
  public static final class InvalidArgument extends AccreteException {
    private static final long serialVersionUID = 1L;

    private InvalidArgument(Failure failure) {
      super(failure);
    }
  }

  /** There was no answer in time. A write may have been taken. */
  public static final class DeadlineExceeded extends AccreteException {
    private static final long serialVersionUID = 1L;

    private DeadlineExceeded(Failure failure) {
      super(failure);
    }
  }

  /** What the request names is not there. */
  public static final class NotFound extends AccreteException {
    private static final long serialVersionUID = 1L;

    private NotFound(Failure failure) {
      super(failure);
    }
  }

  /** What was to be made is there already, and is another. */
  public static final class AlreadyExists extends AccreteException {
    private static final long serialVersionUID = 1L;

    private AlreadyExists(Failure failure) {
      super(failure);
    }
  }

  /** The caller is known, and may not do this. */
  public static final class PermissionDenied extends AccreteException {
    private static final long serialVersionUID = 1L;

    private PermissionDenied(Failure failure) {
      super(failure);
    }
  }

  /** Something is full; {@link #retryAfter()} says when to try again, where that helps. */
  public static final class ResourceExhausted extends AccreteException {
    private static final long serialVersionUID = 1L;

    private ResourceExhausted(Failure failure) {
      super(failure);
    }
  }

  /** The server's state is not such that it could be done. */
  public static final class FailedPrecondition extends AccreteException {
    private static final long serialVersionUID = 1L;

    private FailedPrecondition(Failure failure) {
      super(failure);
    }
  }

  /** Somebody else is changing the same thing. */
  public static final class Aborted extends AccreteException {
    private static final long serialVersionUID = 1L;

    private Aborted(Failure failure) {
      super(failure);
    }
  }

  /** It is about a revision that does not exist yet, or no more. */
  public static final class OutOfRange extends AccreteException {
    private static final long serialVersionUID = 1L;

    private OutOfRange(Failure failure) {
      super(failure);
    }
  }

  /** The server, or the model, cannot do this. */
  public static final class Unimplemented extends AccreteException {
    private static final long serialVersionUID = 1L;

    private Unimplemented(Failure failure) {
      super(failure);
    }
  }

  /** The server has a defect. */
  public static final class Internal extends AccreteException {
    private static final long serialVersionUID = 1L;

    private Internal(Failure failure) {
      super(failure);
    }
  }

  /** The server is not there, or stopping. A write may have been taken: repeat it with the same request id. */
  public static final class Unavailable extends AccreteException {
    private static final long serialVersionUID = 1L;

    private Unavailable(Failure failure) {
      super(failure);
    }
  }

  /** Something on the server's disk, or in a file that was sent, is damaged. */
  public static final class DataLoss extends AccreteException {
    private static final long serialVersionUID = 1L;

    private DataLoss(Failure failure) {
      super(failure);
    }
  }

  /** The server does not know who calls: there is no token, or not a good one. */
  public static final class Unauthenticated extends AccreteException {
    private static final long serialVersionUID = 1L;

    private Unauthenticated(Failure failure) {
      super(failure);
    }
  }
}
