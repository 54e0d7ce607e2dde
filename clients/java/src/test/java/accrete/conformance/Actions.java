package accrete.conformance;

import static accrete.AccreteException.typed;
import static accrete.conformance.Conformance.text;

import accrete.AccreteClient;
import accrete.AccreteException;
import accrete.Pages;
import accrete.RatingStream;
import accrete.v1.CatalogServiceGrpc;
import accrete.v1.ExperimentServiceGrpc;
import accrete.v1.ImportServiceGrpc;
import accrete.v1.ModelServiceGrpc;
import accrete.v1.RateRequest;
import accrete.v1.Rating;
import accrete.v1.RecommenderServiceGrpc;
import accrete.v1.UserServiceGrpc;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What steps do; each gives its answer. */
final class Actions {
  private static final List<ServiceDescriptor> SERVICES = List.of(
      RecommenderServiceGrpc.getServiceDescriptor(), ModelServiceGrpc.getServiceDescriptor(),
      UserServiceGrpc.getServiceDescriptor(), CatalogServiceGrpc.getServiceDescriptor(),
      ImportServiceGrpc.getServiceDescriptor(), ExperimentServiceGrpc.getServiceDescriptor());

  private AccreteClient client;
  private final HttpClient http = HttpClient.newHttpClient();

  Actions(AccreteClient client) {
    this.client = client;
  }

  JsonElement act(JsonObject step) throws IOException, InterruptedException {
    return switch (text(step, "do")) {
      case "call" -> call(step);
      case "pages" -> pages(step);
      case "rate" -> rate(step);
      case "wait" -> {
        client.waitForRevision(text(step, "revision"), Duration.ofSeconds(30));
        yield JsonNull.INSTANCE;
      }
      case "stream" -> stream(step);
      case "control" -> control(step);
      case "connect" -> connect(step);
      case "arm" -> ExperimentActions.arm(step);
      case "vectors" -> ExperimentActions.vectors();
      case "same" -> same(step.getAsJsonArray("values"));
      default -> throw new AssertionError("no action " + step.get("do"));
    };
  }

  /** Any call of the contract; the answers of a stream are messages. */
  private JsonElement call(JsonObject step) throws InvalidProtocolBufferException {
    var method = find(text(step, "method"));
    var options = step.has("timeoutMs")
        ? CallOptions.DEFAULT.withDeadlineAfter(step.get("timeoutMs").getAsLong(), TimeUnit.MILLISECONDS)
        : CallOptions.DEFAULT;
    if (!step.has("requests") && !step.has("cancelAfterMs") && method.getType() == MethodDescriptor.MethodType.UNARY) {
      var request = parse(method, step.get("request"));
      return json(typed(() -> ClientCalls.blockingUnaryCall(client.channel(), method, options, request)));
    }
    var requests = step.has("requests")
        ? step.getAsJsonArray("requests").asList().stream().filter(each -> !each.getAsJsonObject().has("progress")).toList()
        : List.of(step.has("request") ? step.get("request") : new JsonObject());
    var opened = client.channel().newCall(method, options);
    var answers = new Answers();
    if (method.getType().clientSendsOneMessage()) {
      ClientCalls.asyncServerStreamingCall(opened, parse(method, requests.get(0)), answers);
    } else {
      var observer = ClientCalls.asyncBidiStreamingCall(opened, answers);
      for (var request : requests) {
        observer.onNext(parse(method, request));
      }
      observer.onCompleted();
    }
    if (step.has("cancelAfterMs")) {
      var later = CompletableFuture.delayedExecutor(step.get("cancelAfterMs").getAsLong(), TimeUnit.MILLISECONDS);
      later.execute(() -> opened.cancel("as the scenario says", null));
    }
    var messages = new JsonArray();
    for (var message : typed(answers::get)) {
      messages.add(json(message));
    }
    if (method.getType().serverSendsOneMessage()) {
      return messages.get(0);
    }
    var answer = new JsonObject();
    answer.add("messages", messages);
    return answer;
  }

  /** All that an answer in pages has. */
  private JsonElement pages(JsonObject step) throws InvalidProtocolBufferException {
    var method = find(text(step, "method"));
    var request = parse(method, step.get("request"));
    var pages = Pages.of(
        each -> ClientCalls.blockingUnaryCall(client.channel(), method, CallOptions.DEFAULT, each), request).toList();
    var items = new JsonArray();
    for (var page : pages) {
      var some = json(page).getAsJsonObject().getAsJsonArray(text(step, "items"));
      items.addAll(some == null ? new JsonArray() : some);
    }
    var answer = new JsonObject();
    answer.addProperty("pages", pages.size());
    answer.add("items", items);
    return answer;
  }

  /** A batch by the client's own method. */
  private JsonElement rate(JsonObject step) throws InvalidProtocolBufferException {
    var request = RateRequest.newBuilder();
    var ratings = new JsonObject();
    ratings.add("ratings", step.get("ratings"));
    JsonFormat.parser().merge(ratings.toString(), request);
    return json(client.rate(request.getRatingsList()));
  }

  /** Many ratings by a stream, with something that happens on the way. */
  private JsonElement stream(JsonObject step) throws IOException, InterruptedException {
    var refusals = Collections.synchronizedList(new ArrayList<AccreteException>());
    var options = RatingStream.Options.DEFAULT.withBatchSize(step.get("batchSize").getAsInt());
    var stream = client.ratingStream(step.has("listen") ? options.withOnRefused(refusals::add) : options);
    try {
      var begun = System.nanoTime();
      var early = 0;
      var k = 0;
      for (var rating : (Iterable<Rating>) ratingsOf(step)::iterator) {
        if (step.has("at") && k++ == step.get("at").getAsInt()) {
          control(step.getAsJsonObject("control"));
        }
        stream.send(rating);
        if (System.nanoTime() - begun < 500_000_000) {
          early++;
        }
      }
      var summary = stream.flush();
      var answer = new JsonObject();
      answer.addProperty("accepted", summary.accepted());
      answer.addProperty("refused", summary.refused());
      answer.addProperty("duplicates", summary.duplicates());
      answer.addProperty("resumes", summary.resumes());
      answer.addProperty("early", early);
      answer.addProperty("revision", summary.revision());
      var told = new JsonArray();
      refusals.forEach(each -> told.add(describe(each)));
      answer.add("refusals", told);
      return answer;
    } finally {
      stream.close();
    }
  }

  /** The ratings of a stream, made by number: clicks, which are counted each, and maybe a bad one among them. */
  private static Stream<Rating> ratingsOf(JsonObject step) {
    var user = text(step, "user");
    var bad = step.has("bad") ? step.get("bad").getAsInt() : -1;
    var counted = IntStream.range(0, step.get("count").getAsInt());
    if (step.has("distinct")) {
      return counted.mapToObj(k -> Rating.newBuilder()
          .setUserId(user + "-" + k % 40).setItemId("item-" + k / 40).setValue(1 + k * 7919 % 101 % 5).build());
    }
    return counted.mapToObj(k -> k == bad
        ? Rating.newBuilder().setUserId(user).setItemId("bad").setValue(99).build()
        : Rating.newBuilder().setUserId(user + "-" + k % 7).setItemId("item-" + k % 50).setKind("click").build());
  }

  /** Tells the test what to do with the server, or between it and us. */
  private JsonElement control(JsonObject step) throws IOException, InterruptedException {
    var body = step.has("body") ? step.get("body").toString() : "{}";
    var request = HttpRequest.newBuilder(URI.create(System.getenv("ACCRETE_CONTROL") + text(step, "path")))
        .POST(HttpRequest.BodyPublishers.ofString(body)).build();
    return JsonParser.parseString(http.send(request, BodyHandlers.ofString()).body());
  }

  /** Goes on with another connection; without an address, with one as at first. */
  private JsonElement connect(JsonObject step) throws IOException {
    client.close();
    var builder = AccreteClient.builder();
    if (step.has("address")) {
      builder.address(text(step, "address"));
    }
    if (step.has("token")) {
      builder.token(text(step, "token"));
    }
    if (step.has("ca")) {
      var credentials = TlsChannelCredentials.newBuilder().trustManager(new File(text(step, "ca")));
      if (step.has("certificate")) {
        credentials.keyManager(new File(text(step, "certificate")), new File(text(step, "key")));
      }
      builder.credentials(credentials.build());
    }
    client = builder.build();
    return JsonNull.INSTANCE;
  }

  void close() {
    client.close();
  }

  /** Compares what was saved. */
  private static JsonElement same(JsonArray values) {
    if (new HashSet<>(values.asList()).size() != 1) {
      throw new AssertionError("these differ: " + values);
    }
    return JsonNull.INSTANCE;
  }

  /** An error as the scenario writes it. */
  static JsonObject describe(AccreteException error) {
    var fields = new JsonArray();
    error.violations().forEach(each -> fields.add(each.field()));
    var metadata = new JsonObject();
    error.metadata().forEach(metadata::addProperty);
    var described = new JsonObject();
    described.addProperty("code", error.code().name());
    described.addProperty("reason", error.reason());
    described.add("fields", fields);
    described.add("metadata", metadata);
    described.addProperty("retryMs", error.retryAfter().map(Duration::toMillis).orElse(0L));
    described.addProperty("ratings", error.ratings().size());
    return described;
  }

  @SuppressWarnings("unchecked") // all of the contract's are of messages
  private static MethodDescriptor<Message, Message> find(String name) {
    return (MethodDescriptor<Message, Message>) SERVICES.stream()
        .flatMap(service -> service.getMethods().stream())
        .filter(method -> method.getFullMethodName().equals("accrete.v1." + name))
        .findFirst().orElseThrow();
  }

  private static Message parse(MethodDescriptor<Message, Message> method, JsonElement request)
      throws InvalidProtocolBufferException {
    var marshaller = (MethodDescriptor.PrototypeMarshaller<Message>) method.getRequestMarshaller();
    var builder = marshaller.getMessagePrototype().newBuilderForType();
    JsonFormat.parser().merge(request == null ? "{}" : request.toString(), builder);
    return builder.build();
  }

  private static JsonElement json(MessageOrBuilder message) throws InvalidProtocolBufferException {
    return JsonParser.parseString(JsonFormat.printer().print(message));
  }

  /** The answers of a stream, all of them. */
  private static final class Answers implements StreamObserver<Message> {
    private final List<Message> messages = new ArrayList<>();
    private final CompletableFuture<List<Message>> end = new CompletableFuture<>();

    @Override
    public void onNext(Message message) {
      messages.add(message);
    }

    @Override
    public void onError(Throwable error) {
      end.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {
      end.complete(messages);
    }

    List<Message> get() {
      try {
        return end.get();
      } catch (ExecutionException error) {
        throw error.getCause() instanceof StatusRuntimeException status ? status : new IllegalStateException(error);
      } catch (InterruptedException error) {
        throw Status.CANCELLED.withCause(error).asRuntimeException();
      }
    }
  }
}
