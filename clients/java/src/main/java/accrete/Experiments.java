package accrete;

import accrete.v1.Arm;
import accrete.v1.Experiment;
import accrete.v1.Slice;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;

/** Who gets which arm of an experiment, computed as the server does: no call is needed. */
public final class Experiments {
  private Experiments() {}

  /**
   * Where a unit (a user id, usually) lies in [0, 2^32): the first 4 bytes, big-endian, of SHA-256 of salt, NUL and unit.
   */
  public static long point(String salt, String unit) {
    try {
      var text = (salt + "\0" + unit).getBytes(StandardCharsets.UTF_8);
      return Integer.toUnsignedLong(ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(text)).getInt());
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException("every Java has SHA-256", error);
    }
  }

  /**
   * The name of the arm that a unit gets while the experiment runs, which is as {@code GetExperiment} answers it. Empty if
   * the unit is not part of it. What {@code eligible_filter} says of the unit is not looked at.
   */
  public static Optional<String> arm(Experiment experiment, String unit) {
    if (!has(experiment.getLayerSlicesList(), point("layer:" + experiment.getLayer(), unit))) {
      return Optional.empty();
    }
    var here = point(experiment.getSalt(), unit);
    return experiment.getArmsList().stream()
        .filter(arm -> has(arm.getSlicesList(), here)).map(Arm::getName).findFirst();
  }

  private static boolean has(List<Slice> slices, long here) {
    return slices.stream().anyMatch(slice -> slice.getFrom() <= here && here < slice.getTo());
  }
}
