package accrete.conformance;

import accrete.AccreteClient;
import accrete.AccreteException;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Interprets clients/conformance/scenario.json; the addresses are in the environment. */
public final class Conformance {
  private final Map<String, JsonElement> saved = new HashMap<>();
  private final Actions actions;

  private Conformance(AccreteClient client) {
    this.actions = new Actions(client);
  }

  /** Runs all steps, and says which of them failed. */
  public static void main(String[] arguments) throws Exception {
    var propagators = ContextPropagators.create(W3CTraceContextPropagator.getInstance());
    GlobalOpenTelemetry.set(OpenTelemetry.propagating(propagators));
    var scenario = JsonParser.parseString(Files.readString(Path.of(System.getenv("ACCRETE_SCENARIO"))));
    var number = 0;
    var failed = false;
    var runner = new Conformance(AccreteClient.connect());
    for (var group : scenario.getAsJsonObject().getAsJsonArray("groups")) {
      for (var each : group.getAsJsonObject().getAsJsonArray("steps")) {
        var step = each.getAsJsonObject();
        var name = ++number + " " + text(group.getAsJsonObject(), "name") + ": " + text(step, "name");
        try {
          runner.take(step);
          System.out.println("ok " + name);
        } catch (Exception | AssertionError error) {
          failed = true;
          System.out.println("not ok " + name + " - " + error);
        }
      }
    }
    runner.actions.close();
    System.exit(failed ? 1 : 0);
  }

  /** Takes one step; throws if it did not go as it should. */
  private void take(JsonObject given) throws Exception {
    var step = fill(given).getAsJsonObject();
    var carrier = Map.of("traceparent", text(step, "traceparent"));
    var parent = W3CTraceContextPropagator.getInstance().extract(Context.root(), carrier, FROM_MAP);
    JsonElement answer;
    try {
      answer = parent.wrap(() -> actions.act(step)).call();
    } catch (AccreteException error) {
      if (!step.has("error")) {
        throw error;
      }
      var wanted = step.getAsJsonObject("error");
      Check.check(Actions.describe(error), wanted, "error");
      var name = Stream.of(text(wanted, "code").split("_"))
          .map(word -> word.charAt(0) + word.substring(1).toLowerCase())
          .collect(Collectors.joining());
      Check.check(new JsonPrimitive(error.getClass().getSimpleName()), new JsonPrimitive(name), "class");
      return;
    }
    if (step.has("error")) {
      throw new AssertionError("no error, but " + answer);
    }
    if (step.has("expect")) {
      Check.check(answer, step.get("expect"), "answer");
    }
    if (step.has("save")) {
      for (var each : step.getAsJsonObject("save").entrySet()) {
        saved.put(each.getKey(), Check.find(answer, each.getValue().getAsString()));
      }
    }
  }

  /** A value with what was saved in place of its ${name}. */
  private JsonElement fill(JsonElement value) {
    if (value.isJsonArray()) {
      var filled = new JsonArray();
      value.getAsJsonArray().forEach(each -> filled.add(fill(each)));
      return filled;
    }
    if (value.isJsonObject()) {
      var filled = new JsonObject();
      value.getAsJsonObject().entrySet().forEach(each -> filled.add(each.getKey(), fill(each.getValue())));
      return filled;
    }
    var isText = value.isJsonPrimitive() && value.getAsJsonPrimitive().isString();
    if (isText && value.getAsString().startsWith("${")) {
      return saved.getOrDefault(value.getAsString().replaceAll("[${}]", ""), JsonNull.INSTANCE);
    }
    return value;
  }

  static String text(JsonObject object, String name) {
    return object.has(name) ? object.get(name).getAsString() : "";
  }

  private static final TextMapGetter<Map<String, String>> FROM_MAP =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Map<String, String> carrier) {
          return carrier.keySet();
        }

        @Override
        public String get(Map<String, String> carrier, String key) {
          return carrier.get(key);
        }
      };
}
