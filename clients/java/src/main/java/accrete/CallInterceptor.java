package accrete;

import accrete.v1.RateRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.context.Context;
import java.util.UUID;
import java.util.function.Supplier;

/** What every call carries: who calls, the trace that it belongs to and, of a Rate, an id. */
final class CallInterceptor implements ClientInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION = key("authorization");

  private final Supplier<String> token;

  /** Without a token, it is null. */
  CallInterceptor(Supplier<String> token) {
    this.token = token;
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
        super.start(listener, headers);
      }

      @Override
      public void sendMessage(Q message) {
        super.sendMessage(withRequestId(message));
      }
    };
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
