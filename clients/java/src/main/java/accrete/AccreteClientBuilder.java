package accrete;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannelBuilder;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** How to connect to a server. What is left open has a default. */
public final class AccreteClientBuilder {
  private static final String DEFAULT_ADDRESS = "127.0.0.1:50051";
  private static final Pattern LOOPBACK =
      Pattern.compile("^(unix(-abstract)?:|(dns:/*)?(localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1])(:|$))");

  private String address = addressOfEnvironment();
  private ChannelCredentials credentials;
  private String serverName;
  private Supplier<String> token;
  private UnaryOperator<ManagedChannelBuilder<?>> more = channel -> channel;

  AccreteClientBuilder() {}

  /** An empty one is none. */
  private static String addressOfEnvironment() {
    String address = System.getenv().getOrDefault("ACCRETE_ADDRESS", "");
    return address.isEmpty() ? DEFAULT_ADDRESS : address;
  }

  /** {@code host:port} or {@code unix:path}; by default {@code ACCRETE_ADDRESS}, or the server of this machine. */
  public AccreteClientBuilder address(String address) {
    this.address = address;
    return this;
  }

  /**
   * How the connection is secured: {@link TlsChannelCredentials} says who is trusted, and who calls (mTLS). By default
   * it is secured by what the system trusts, unless the address is of this machine.
   */
  public AccreteClientBuilder credentials(ChannelCredentials credentials) {
    this.credentials = credentials;
    return this;
  }

  /** The name in the server's certificate, where that is not the name in the address. */
  public AccreteClientBuilder serverName(String serverName) {
    this.serverName = serverName;
    return this;
  }

  /** The bearer token that says who calls. */
  public AccreteClientBuilder token(String token) {
    return token(() -> token);
  }

  /** Gives the bearer token for each call. */
  public AccreteClientBuilder token(Supplier<String> token) {
    this.token = token;
    return this;
  }

  /** Changes what else gRPC connects with. */
  public AccreteClientBuilder channel(UnaryOperator<ManagedChannelBuilder<?>> more) {
    this.more = more;
    return this;
  }

  /** Connects; the first call opens the connection. */
  public AccreteClient build() {
    if (address.matches("https?://.*")) {
      throw new IllegalArgumentException("the address " + address + " is to be given as host:port or unix:path");
    }
    var isLocal = LOOPBACK.matcher(address).find();
    var used = credentials != null
        ? credentials
        : isLocal ? InsecureChannelCredentials.create() : TlsChannelCredentials.create();
    if (token != null && !isLocal && used instanceof InsecureChannelCredentials) {
      throw new IllegalStateException("a token would cross the network in the clear to " + address);
    }
    ManagedChannelBuilder<?> channel = Grpc.newChannelBuilder(address, used)
        .defaultServiceConfig(serviceConfig())
        // A dead connection is noticed within half a minute while calls are under way.
        .keepAliveTime(20, TimeUnit.SECONDS)
        .keepAliveTimeout(10, TimeUnit.SECONDS);
    if (serverName != null) {
      channel.overrideAuthority(serverName);
    }
    return new AccreteClient(more.apply(channel).build(), token, address);
  }

  /** Which calls are repeated, and how long quick ones may take: the same for clients in every language. */
  private static Map<String, ?> serviceConfig() {
    try (var file = AccreteClientBuilder.class.getResourceAsStream("service-config.json");
        var text = new InputStreamReader(file, StandardCharsets.UTF_8)) {
      return new Gson().fromJson(text, new TypeToken<Map<String, Object>>() {}.getType());
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
