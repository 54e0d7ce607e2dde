package accrete;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

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
}
