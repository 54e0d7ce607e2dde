package accrete.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;

/** Compares what came with what is wanted. */
final class Check {
  private Check() {}

  /** Throws unless the value has everything that is wanted; what is left out on the wire is its default. */
  static void check(JsonElement value, JsonElement wanted, String path) {
    if (wanted.isJsonObject() && wanted.getAsJsonObject().has("$last") && !listOf(value).isEmpty()) {
      check(listOf(value).get(listOf(value).size() - 1), wanted.getAsJsonObject().get("$last"), path + ".last");
      return;
    }
    if (wanted.isJsonObject() && !wanted.getAsJsonObject().keySet().stream().anyMatch(key -> key.startsWith("$"))) {
      var fields = value.isJsonObject() ? value.getAsJsonObject() : new JsonObject();
      for (var each : wanted.getAsJsonObject().entrySet()) {
        check(orNull(fields.get(each.getKey())), each.getValue(), path + "." + each.getKey());
      }
      return;
    }
    if (wanted.isJsonArray() && listOf(value).size() == wanted.getAsJsonArray().size()) {
      for (var index = 0; index < wanted.getAsJsonArray().size(); index++) {
        check(listOf(value).get(index), wanted.getAsJsonArray().get(index), path + "." + index);
      }
      return;
    }
    if (!matches(value, wanted)) {
      throw new AssertionError(path + " is " + value + ", not " + wanted);
    }
  }

  private static boolean matches(JsonElement value, JsonElement wanted) {
    if (wanted.isJsonObject()) {
      var object = wanted.getAsJsonObject();
      return object.has("$count")
          ? listOf(value).size() == object.get("$count").getAsInt()
          : object.has("$min")
              ? !isEmpty(value) && value.getAsDouble() >= object.get("$min").getAsDouble()
              : isEmpty(value) || value.getAsDouble() <= object.get("$max").getAsDouble();
    }
    if (wanted.isJsonPrimitive() && wanted.getAsString().equals("$some")) {
      return !isEmpty(value);
    }
    return value.equals(wanted) || (isEmpty(wanted) && isEmpty(value)) || isSameNumber(value, wanted);
  }

  private static boolean isSameNumber(JsonElement value, JsonElement wanted) {
    return isNumber(value) && isNumber(wanted) && value.getAsDouble() == wanted.getAsDouble();
  }

  private static boolean isNumber(JsonElement value) {
    return value.isJsonPrimitive() && value.getAsJsonPrimitive().isNumber();
  }

  private static boolean isEmpty(JsonElement value) {
    if (value.isJsonPrimitive()) {
      var primitive = value.getAsJsonPrimitive();
      return primitive.isNumber()
          ? primitive.getAsDouble() == 0
          : primitive.isBoolean() ? !primitive.getAsBoolean() : primitive.getAsString().isEmpty();
    }
    return value.isJsonNull() || (value.isJsonArray() && value.getAsJsonArray().isEmpty());
  }

  private static JsonArray listOf(JsonElement value) {
    return value.isJsonArray() ? value.getAsJsonArray() : new JsonArray();
  }

  /** What is at a path: {@code calls.0.requestId}. */
  static JsonElement find(JsonElement value, String path) {
    for (var part : path.split("\\.")) {
      value = value.isJsonArray()
          ? value.getAsJsonArray().get(Integer.parseInt(part))
          : orNull(value.getAsJsonObject().get(part));
    }
    return value;
  }

  private static JsonElement orNull(JsonElement value) {
    return value == null ? JsonNull.INSTANCE : value;
  }
}
