package accrete;

/**
 * A field that the server refused.
 *
 * @param field its path in the request: {@code ratings[17].value}
 * @param description what is wrong with it
 */
public record Violation(String field, String description) {}
