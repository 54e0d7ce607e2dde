package accrete.conformance;

import accrete.Experiments;
import accrete.v1.Arm;
import accrete.v1.Experiment;
import accrete.v1.Slice;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.util.JsonFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What steps do that ask who gets which arm. */
final class ExperimentActions {
  private ExperimentActions() {}

  /** The arm of a unit, as the server writes it. */
  static JsonElement arm(JsonObject step) throws IOException {
    var experiment = Experiment.newBuilder();
    JsonFormat.parser().merge(step.get("experiment").toString(), experiment);
    var arm = Experiments.arm(experiment.build(), step.get("unit").getAsString()).orElse("");
    var answer = new JsonObject();
    answer.addProperty("arm", experiment.getName() + "/" + arm);
    return answer;
  }

  /** Compares with what is published of points and arms. */
  static JsonElement vectors() throws IOException {
    var vectors = JsonParser.parseString(Files.readString(Path.of(System.getenv("ACCRETE_VECTORS")))).getAsJsonObject();
    var points = vectors.getAsJsonArray("points");
    for (var each : points) {
      var vector = each.getAsJsonObject();
      var unit = vector.get("unit").getAsString();
      var point = Experiments.point(vector.get("salt").getAsString(), unit);
      Check.check(new JsonPrimitive(point), vector.get("point"), unit);
    }
    var assignments = 0;
    for (var each : vectors.getAsJsonArray("experiments")) {
      var experiment = experimentOf(each.getAsJsonObject());
      for (var assignment : each.getAsJsonObject().getAsJsonArray("assignments")) {
        var unit = assignment.getAsJsonObject().get("unit").getAsString();
        var arm = Experiments.arm(experiment, unit).orElse("");
        Check.check(new JsonPrimitive(arm), assignment.getAsJsonObject().get("arm"), unit);
        assignments++;
      }
    }
    var answer = new JsonObject();
    answer.addProperty("points", points.size());
    answer.addProperty("assignments", assignments);
    return answer;
  }

  private static Experiment experimentOf(JsonObject vector) {
    var experiment = Experiment.newBuilder()
        .setSalt(vector.get("salt").getAsString())
        .setLayer(vector.get("layer").getAsString())
        .addAllLayerSlices(slicesOf(vector.getAsJsonArray("layerSlices")));
    for (var each : vector.getAsJsonArray("arms")) {
      var arm = each.getAsJsonObject();
      experiment.addArms(Arm.newBuilder().setName(arm.get("name").getAsString())
          .addAllSlices(slicesOf(arm.getAsJsonArray("slices"))));
    }
    return experiment.build();
  }

  private static List<Slice> slicesOf(JsonArray pairs) {
    return pairs.asList().stream().map(JsonElement::getAsJsonArray)
        .map(pair -> Slice.newBuilder().setFrom(pair.get(0).getAsLong()).setTo(pair.get(1).getAsLong()).build())
        .toList();
  }
}
