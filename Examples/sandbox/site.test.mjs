// A test of a program beside Rejoinder, in JavaScript (Node 18 or newer), by HTTP alone:
// node --test site.test.mjs, while `rejoinder sandbox --admin-port 8080` runs. Any Kafka client will do in its place.
import assert from "node:assert/strict";
import test from "node:test";

const admin = process.env.ADMIN ?? "http://127.0.0.1:8080";

async function post(path, body) {
  const response = await fetch(admin + path, { method: "POST", body });
  assert.equal(response.status, 200, `${path}: ${await response.clone().text()}`);
  return response.json();
}

// A record as a recording has it: one JSON object a line.
function line(topic, key, value) {
  return JSON.stringify({ topic, partition: 0, offset: 0, key, payload: JSON.stringify(value) }) + "\n";
}

test("an answer is attached to its question", async () => {
  await post("/sandbox/reset");
  await post("/sandbox/records", line("answers", "q1", { id: "a1", questionId: "q1" }));
  await post("/sandbox/wait-idle");
  await post("/sandbox/records", line("questions", "q1", { id: "q1", title: "Why?" }));
  await post("/sandbox/wait-idle");

  const text = await (await fetch(`${admin}/sandbox/records/questions.enriched`)).text();
  const records = text.trim().split("\n").map((each) => JSON.parse(each));
  assert.deepEqual(records.map((each) => each.key), ["q1"]);
  assert.deepEqual(JSON.parse(records[0].payload).answers.map((each) => each.answer.id), ["a1"]);
});
