import accrete.AccreteClient;
import accrete.AccreteException;
import accrete.v1.Rating;
import accrete.v1.RecommendRequest;
import java.util.List;

/** Rates an item and is recommended others. Usage: java Quickstart.java [VALUE] */
final class Quickstart {
  public static void main(String[] arguments) {
    var value = arguments.length > 0 ? Double.parseDouble(arguments[0]) : 5;
    try (var client = AccreteClient.connect()) {
      var rating = Rating.newBuilder().setUserId("jana").setItemId("solaris").setValue(value).build();
      var revision = client.rate(List.of(rating)).getRevision();
      var request = RecommendRequest.newBuilder().setUserId("jana").setMinRevision(revision).build();
      var answer = AccreteException.typed(() -> client.recommender().recommend(request));
      System.out.println("model " + answer.getModel());
      answer.getItemsList().forEach(item -> System.out.println(item.getItemId() + " " + item.getScore()));
    } catch (AccreteException error) {
      System.err.println(error.code() + " " + error.getMessage());
      System.exit(1);
    }
  }
}
