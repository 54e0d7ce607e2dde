package accrete;

import accrete.v1.RateRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.context.Context;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * What every call carries: who calls, the trace that it belongs to and, of a Rate, an id. A call that found no server
 * says where it looked.
 */
final class CallInterceptor implements ClientInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION = key("authorization");

  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private final Supplier<String> token;
  private final String address;

  /** Without a token, it is null. */
  CallInterceptor(Supplier<String> token, String address) {
    this.token = token;
    this.address = address;
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<R> listener, Metadata headers) {
        var propagator = GlobalOpenTelemetry.getPropagators().getTextMapPropagator();
        propagator.inject(Context.current(), headers, (to, name, value) -> to.put(key(name), value));
        if (token != null) {
          headers.put(AUTHORIZATION, "Bearer " + token.get());
        }
        super.start(
            new SimpleForwardingClientCallListener<>(listener) {
              @Override
              public void onClose(Status status, Metadata trailers) {
                super.onClose(trailers.containsKey(DETAILS) ? status : explained(status), trailers);
              }
            },
            headers);
      }

      @Override
      public void sendMessage(Q message) {
        super.sendMessage(withRequestId(message));
      }
    };
  }

  /** With what to do, where gRPC found no server, or lost it. */
  private Status explained(Status status) {
    if (status.getCode() != Status.Code.UNAVAILABLE) {
      return status;
    }
    var cause = status.getCause();
    var why = cause == null ? status.getDescription() : cause.getMessage();
    return status.withDescription("no server answers at " + address
        + ": start one, or give its address as host:port or unix:path (" + why + ")");
  }

  /** A Rate without an id gets one: it is repeated when the server is away for a moment. */
  @SuppressWarnings("unchecked") // it stays of the class that it has
  private static <Q> Q withRequestId(Q message) {
    return message instanceof RateRequest rate && rate.getRequestId().isEmpty()
        ? (Q) rate.toBuilder().setRequestId(UUID.randomUUID().toString()).build()
        : message;
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
