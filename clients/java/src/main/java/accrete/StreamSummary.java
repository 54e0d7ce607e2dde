package accrete;

/**
 * What became of the ratings of a stream so far.
 *
 * @param accepted ratings that were learned
 * @param refused ratings of batches that the server refused
 * @param batches batches that were answered
 * @param duplicates batches among them that had been learned before their connection broke, and were not learned again
 * @param resumes how often the stream was taken up again
 * @param revision the latest revision: {@code min_revision} of a recommendation that shall see all of it
 */
public record StreamSummary(int accepted, int refused, int batches, int duplicates, int resumes, String revision) {}
