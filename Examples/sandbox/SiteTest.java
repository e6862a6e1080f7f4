// A test of a program beside Rejoinder, in Java 17 or newer, by HTTP alone:
// java SiteTest.java, while `rejoinder sandbox --admin-port 8080` runs.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;

public class SiteTest {
    static final String ADMIN = System.getenv().getOrDefault("ADMIN", "http://127.0.0.1:8080");
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    static String send(HttpRequest.Builder request) throws Exception {
        var response = CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) throw new AssertionError(response.body());
        return response.body();
    }

    static void post(String path, String body) throws Exception {
        send(HttpRequest.newBuilder(URI.create(ADMIN + path)).POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    /** Publishes a record with the key q1: the lines of a recording. */
    static void publish(String topic, String value) throws Exception {
        var text = value.replace("\"", "\\\"");
        post("/sandbox/records", """
                {"topic":"%s","partition":0,"offset":0,"key":"q1","payload":"%s"}
                """.formatted(topic, text));
    }

    public static void main(String[] arguments) throws Exception {
        post("/sandbox/reset", "");
        publish("answers", "{\"id\":\"a1\",\"questionId\":\"q1\"}");
        post("/sandbox/wait-idle", "");
        publish("questions", "{\"id\":\"q1\",\"title\":\"Why?\"}");
        post("/sandbox/wait-idle", "");

        List<String> records =
                send(HttpRequest.newBuilder(URI.create(ADMIN + "/sandbox/records/questions.enriched"))).lines().toList();
        if (records.size() != 1 || !records.get(0).contains("\\\"id\\\":\\\"a1\\\""))
            throw new AssertionError(records.toString());
        System.out.println("ok");
    }
}
