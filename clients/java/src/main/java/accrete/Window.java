package accrete;

import accrete.v1.RateStreamRequest;
import accrete.v1.RateStreamResponse;
import accrete.v1.Rating;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The batches of a rating stream: those to be sent, and those that wait for an answer. Ratings become a batch when there
 * are enough of them, or nothing else is under way: one batch gathers while another is learned. Answers come in order.
 */
final class Window {
  private final int batchSize;
  private final int size;
  private final List<RateStreamRequest> unanswered = new ArrayList<>();
  private List<Rating> gathering = new ArrayList<>();
  private int sent;
  private int connections;
  private StreamSummary summary = new StreamSummary(0, 0, 0, 0, 0, "");

  /** At most {@code size} batches wait for their answers. */
  Window(int batchSize, int size) {
    if (batchSize < 1 || size < 1) {
      throw new IllegalArgumentException("batchSize and maxInFlight must be at least 1");
    }
    this.batchSize = batchSize;
    this.size = size;
  }

  StreamSummary summary() {
    return summary;
  }

  boolean isFull() {
    return gathering.size() >= batchSize;
  }

  boolean isEmpty() {
    return gathering.isEmpty() && unanswered.isEmpty();
  }

  /** Whether there is something to send now. */
  boolean isDue() {
    return sent < unanswered.size() || (!gathering.isEmpty() && sent < size && (sent == 0 || isFull()));
  }

  void add(Rating rating) {
    gathering.add(rating);
  }

  /** What to send now, when something is due. */
  RateStreamRequest next() {
    if (sent == unanswered.size()) {
      var id = UUID.randomUUID().toString();
      unanswered.add(RateStreamRequest.newBuilder().setRequestId(id).addAllRatings(gathering).build());
      gathering = new ArrayList<>();
    }
    return unanswered.get(sent++);
  }

  /** Takes an answer to the oldest batch; the error, if it was refused. */
  Optional<AccreteException> answered(RateStreamResponse answer) {
    var ratings = unanswered.remove(0).getRatingsList();
    sent--;
    var refused = answer.hasError() ? ratings.size() : 0;
    summary = new StreamSummary(
        summary.accepted() + answer.getAcceptedCount(),
        summary.refused() + refused,
        summary.batches() + 1,
        summary.duplicates() + (answer.getDuplicate() ? 1 : 0),
        connections - 1,
        answer.getRevision().compareTo(summary.revision()) > 0 ? answer.getRevision() : summary.revision());
    return answer.hasError() ? Optional.of(AccreteException.of(answer.getError(), ratings)) : Optional.empty();
  }

  /** Begins on a new connection: what was not answered on the one before is sent again, with its request ids. */
  void connect() {
    sent = 0;
    connections++;
  }
}
