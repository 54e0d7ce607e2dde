package accrete;

import static accrete.AccreteException.typed;

import com.google.protobuf.Message;
import java.util.function.Function;
import java.util.stream.Stream;

/** Answers that come in pages. */
public final class Pages {
  private Pages() {}

  /**
   * The pages of an answer, one after the other, each asked for when it is needed.
   *
   * <pre>{@code Pages.of(client.users()::listRatings, request).flatMap(page -> page.getRatingsList().stream())}</pre>
   */
  public static <Q extends Message, P extends Message> Stream<P> of(Function<Q, P> call, Q request) {
    var first = typed(() -> call.apply(request));
    return Stream.iterate(first, page -> page != null, page -> {
      var token = page.getField(page.getDescriptorForType().findFieldByName("next_page_token"));
      return token.equals("") ? null : typed(() -> call.apply(withToken(request, token)));
    });
  }

  @SuppressWarnings("unchecked") // the builder of a message builds its class
  private static <Q extends Message> Q withToken(Q request, Object token) {
    var field = request.getDescriptorForType().findFieldByName("page_token");
    return (Q) request.toBuilder().setField(field, token).build();
  }
}
