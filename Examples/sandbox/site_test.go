// A test of a program beside Rejoinder, in Go, by HTTP alone:
// go test site_test.go, while `rejoinder sandbox --admin-port 8080` runs. Any Kafka client will do in its place.
package site

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

func admin() string {
	if address := os.Getenv("ADMIN"); address != "" {
		return address
	}
	return "http://127.0.0.1:8080"
}

func post(t *testing.T, path string, body string) {
	t.Helper()
	response, err := http.Post(admin()+path, "application/x-ndjson", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("%s: %s", path, text)
	}
}

func TestAnswerIsAttached(t *testing.T) {
	post(t, "/sandbox/reset", "")
	post(t, "/sandbox/records", `{"topic":"answers","partition":0,"offset":0,"key":"q1","payload":"{\"id\":\"a1\",\"questionId\":\"q1\"}"}`)
	post(t, "/sandbox/wait-idle", "")
	post(t, "/sandbox/records", `{"topic":"questions","partition":0,"offset":0,"key":"q1","payload":"{\"id\":\"q1\",\"title\":\"Why?\"}"}`)
	post(t, "/sandbox/wait-idle", "")

	response, err := http.Get(admin() + "/sandbox/records/questions.enriched")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	var record struct{ Key, Payload string }
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &record) != nil {
		t.Fatal("nothing was published")
	}
	if record.Key != "q1" || !strings.Contains(record.Payload, `"id":"a1"`) {
		t.Fatalf("%+v", record)
	}
}
