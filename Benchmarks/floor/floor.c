// The floor: the cost of moving the same bytes with librdkafka and doing nothing else.
//
// Consumes the question events as the worker does, and publishes for each a record of the length that its enriched one
// has, under the event's key and time. Nothing is parsed, nothing looked up; the published bytes are always the same
// ones. Batches, commits and librdkafka's properties are the worker's: the program that starts both hands them over.
// The queues are its own, as large as librdkafka allows: before 2.2 a full queue of the consumer makes librdkafka look
// away for up to a second, and a full one of the producer makes this wait. Events are taken from the queue in batches;
// they are published one by one, as rd_kafka_produce_batch takes no timestamps.
//
// With --spread it publishes records of the given lengths evenly over all records that it consumes, those of the
// followed topics included: as many, and as many bytes, as a program that publishes questions again when their answers
// or votes change.
//
// At the end it prints one line of JSON: its own CPU time from the first event, or from its assignment, to the last
// commit, and the time on the clock.

#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

// The worker's limits: the events that it gathers, and the length of its waits while it is idle.
enum { LONGEST_WAIT_MS = 50, MAX_GATHERED = 2048, MAX_PARTITIONS = 4096 };

static const char *questions, *enriched, *follow[2], *mode = "exactly-once", *sizes_path;
static int64_t question_count, follow_count;
static int commit_ms = 100;
// Whether the sizes are spread over all records that are consumed.
static bool is_spread;
// Whether it counts from its assignment, so that fetching the first events is in it, or from the first event.
static bool from_assignment;
static int64_t commit_bytes = 20 << 20;

static rd_kafka_t *consumer, *follower, *producer;
static rd_kafka_topic_t *enriched_topic;
static rd_kafka_queue_t *producer_queue;

// By partition: the length of the record published for the event at each offset; or, spread, for so many consumed
// records in all.
static struct {
    int64_t count;
    uint32_t *lengths;
    int64_t inputs, consumed, published;
} sizes[MAX_PARTITIONS];
static int partition_count;
static int64_t next_question[MAX_PARTITIONS], next_followed[2][MAX_PARTITIONS];

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("floor: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void read_sizes(void) {
    FILE *file = fopen(sizes_path, "rb");
    int32_t count;
    if (!file || fread(&count, sizeof count, 1, file) != 1 || count < 1 || count > MAX_PARTITIONS)
        die("cannot read the sizes in %s", sizes_path);
    partition_count = count;
    for (int i = 0; i < count; i++) {
        if (is_spread && fread(&sizes[i].inputs, sizeof sizes[i].inputs, 1, file) != 1) die("%s is cut short", sizes_path);
        if (fread(&sizes[i].count, sizeof sizes[i].count, 1, file) != 1) die("%s is cut short", sizes_path);
        sizes[i].lengths = malloc(sizes[i].count * sizeof(uint32_t) + 1);
        if (fread(sizes[i].lengths, sizeof(uint32_t), sizes[i].count, file) != (size_t)sizes[i].count)
            die("%s is cut short", sizes_path);
    }
    fclose(file);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char reason[512];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK) die("%s", reason);
}

static void set_pair(rd_kafka_conf_t *conf, char *pair) {
    char *equals = strchr(pair, '=');
    if (!equals) die("%s is no name=value", pair);
    *equals = 0;
    set(conf, pair, equals + 1);
    *equals = '=';
}

static rd_kafka_t *make(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
    char reason[512];
    rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof reason);
    if (!client) die("%s", reason);
    return client;
}

static void fail_on(rd_kafka_error_t *error, const char *what) {
    if (error) die("%s: %s", what, rd_kafka_error_string(error));
}

static void serve_producer(int timeout) {
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(producer_queue, timeout))) {
        timeout = 0;
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR && rd_kafka_event_message_count(event) > 0)
            die("a record was not delivered");
        rd_kafka_event_destroy(event);
    }
}

static char *value;
static bool transactional, in_transaction;
static int64_t published, published_bytes, uncommitted_bytes;

static void publish(const rd_kafka_message_t *event, uint32_t length) {
    if (transactional && !in_transaction) fail_on(rd_kafka_begin_transaction(producer), "beginning a transaction");
    in_transaction = true;
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(event, &type);
    rd_kafka_resp_err_t code;
    while ((code = rd_kafka_producev(
                producer, RD_KAFKA_V_RKT(enriched_topic), RD_KAFKA_V_PARTITION(event->partition),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(event->key, event->key_len),
                RD_KAFKA_V_VALUE(value, length), RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_END)) ==
           RD_KAFKA_RESP_ERR__QUEUE_FULL)
        // Only failures are reported, so nothing would end a longer wait.
        serve_producer(1);
    if (code) die("producing: %s", rd_kafka_err2str(code));
    published++;
    published_bytes += length;
    uncommitted_bytes += length + event->key_len;
}

// Publishes the records that are due once this one is consumed.
static void publish_for(const rd_kafka_message_t *event, bool is_question) {
    if (event->partition >= partition_count) die("nothing is known of [%d]", event->partition);
    if (is_spread) {
        int p = event->partition;
        sizes[p].consumed++;
        int64_t due = sizes[p].consumed >= sizes[p].inputs ? sizes[p].count : sizes[p].count * sizes[p].consumed / sizes[p].inputs;
        while (sizes[p].published < due) publish(event, sizes[p].lengths[sizes[p].published++]);
    } else if (is_question) {
        if (event->offset >= sizes[event->partition].count)
            die("nothing is known of [%d] at %" PRId64, event->partition, event->offset);
        publish(event, sizes[event->partition].lengths[event->offset]);
    }
}

// Takes the events that are there, or the first that comes within the timeout.
static int gather(rd_kafka_t *client, rd_kafka_queue_t *queue, int timeout, rd_kafka_message_t **messages, int room) {
    rd_kafka_message_t *first = rd_kafka_consumer_poll(client, timeout);
    if (!first) return 0;
    messages[0] = first;
    ssize_t more = rd_kafka_consume_batch_queue(queue, 0, messages + 1, room - 1);
    return 1 + (more > 0 ? more : 0);
}

static void commit(void) {
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(partition_count * 3);
    for (int i = 0; i < partition_count; i++) {
        if (next_question[i]) rd_kafka_topic_partition_list_add(offsets, questions, i)->offset = next_question[i];
        next_question[i] = 0;
        for (int k = 0; k < 2; k++) {
            if (next_followed[k][i]) rd_kafka_topic_partition_list_add(offsets, follow[k], i)->offset = next_followed[k][i];
            next_followed[k][i] = 0;
        }
    }
    if (transactional) {
        rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer);
        fail_on(rd_kafka_send_offsets_to_transaction(producer, offsets, group, 30000), "sending offsets");
        rd_kafka_consumer_group_metadata_destroy(group);
        fail_on(rd_kafka_commit_transaction(producer, 30000), "committing");
    } else {
        while (rd_kafka_flush(producer, 100) != RD_KAFKA_RESP_ERR_NO_ERROR) serve_producer(0);
        if (offsets->cnt > 0) {
            rd_kafka_resp_err_t code = rd_kafka_commit(consumer, offsets, 0);
            if (code) die("committing offsets: %s", rd_kafka_err2str(code));
        }
    }
    rd_kafka_topic_partition_list_destroy(offsets);
    in_transaction = false;
    uncommitted_bytes = 0;
}

// From the topics' present ends on, as the worker follows tables that its store is up to date with.
static void follow_from_end(void) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(MAX_PARTITIONS);
    for (int k = 0; k < 2 && follow[k]; k++) {
        const struct rd_kafka_metadata *metadata;
        rd_kafka_topic_t *topic = rd_kafka_topic_new(follower, follow[k], NULL);
        if (rd_kafka_metadata(follower, 0, topic, &metadata, 10000)) die("cannot ask for the partitions of %s", follow[k]);
        for (int i = 0; i < metadata->topics[0].partition_cnt; i++) {
            int64_t low, high;
            if (rd_kafka_query_watermark_offsets(follower, follow[k], i, &low, &high, 10000))
                die("cannot ask for the end of %s", follow[k]);
            rd_kafka_topic_partition_list_add(list, follow[k], i)->offset = high;
        }
        rd_kafka_metadata_destroy(metadata);
        rd_kafka_topic_destroy(topic);
    }
    if (rd_kafka_assign(follower, list)) die("cannot read %s", follow[0]);
    rd_kafka_topic_partition_list_destroy(list);
}

int main(int argc, char **argv) {
    rd_kafka_conf_t *consumer_conf = rd_kafka_conf_new(), *follower_conf = rd_kafka_conf_new(),
                    *producer_conf = rd_kafka_conf_new();
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i];
        char *value = argv[i + 1];
        if (!strcmp(name, "--questions")) questions = value;
        else if (!strcmp(name, "--enriched")) enriched = value;
        else if (!strcmp(name, "--follow")) follow[follow[0] != NULL] = value;
        else if (!strcmp(name, "--mode")) mode = value;
        else if (!strcmp(name, "--sizes")) sizes_path = value;
        else if (!strcmp(name, "--count")) question_count = atoll(value);
        else if (!strcmp(name, "--follow-count")) follow_count = atoll(value);
        else if (!strcmp(name, "--spread")) is_spread = atoi(value);
        else if (!strcmp(name, "--from-assignment")) from_assignment = atoi(value);
        else if (!strcmp(name, "--commit-ms")) commit_ms = atoi(value);
        else if (!strcmp(name, "--commit-bytes")) commit_bytes = atoll(value);
        else if (!strcmp(name, "--consumer")) set_pair(consumer_conf, value);
        else if (!strcmp(name, "--follower")) set_pair(follower_conf, value);
        else if (!strcmp(name, "--producer")) set_pair(producer_conf, value);
        else die("there is no option %s", name);
    }
    if (!questions || !enriched || !sizes_path) die("--questions, --enriched and --sizes are needed");
    transactional = !strcmp(mode, "exactly-once");
    read_sizes();
    uint32_t longest = 1;
    for (int i = 0; i < partition_count; i++)
        for (int64_t k = 0; k < sizes[i].count; k++)
            if (sizes[i].lengths[k] > longest) longest = sizes[i].lengths[k];
    value = malloc(longest);
    // Not all the same byte, so that compression, where it is asked for, has something to do.
    for (uint32_t i = 0; i < longest; i++) value[i] = ' ' + (i * 2654435761u >> 24) % 95;

    set(producer_conf, "delivery.report.only.error", "true");
    rd_kafka_conf_set_events(producer_conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    producer = make(RD_KAFKA_PRODUCER, producer_conf);
    producer_queue = rd_kafka_queue_get_main(producer);
    enriched_topic = rd_kafka_topic_new(producer, enriched, NULL);
    if (transactional) fail_on(rd_kafka_init_transactions(producer, 30000), "registering the transactional id");
    consumer = make(RD_KAFKA_CONSUMER, consumer_conf);
    rd_kafka_poll_set_consumer(consumer);
    if (follow[0]) {
        follower = make(RD_KAFKA_CONSUMER, follower_conf);
        rd_kafka_poll_set_consumer(follower);
        follow_from_end();
    }
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, questions, RD_KAFKA_PARTITION_UA);
    if (rd_kafka_subscribe(consumer, topics)) die("cannot subscribe to %s", questions);
    rd_kafka_topic_partition_list_destroy(topics);

    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer),
                     *follower_queue = follower ? rd_kafka_queue_get_consumer(follower) : NULL;
    rd_kafka_message_t **gathered = malloc(MAX_GATHERED * sizeof *gathered);
    double began = 0, began_cpu = 0, first_uncommitted = 0, ended, ended_cpu;
    int64_t done = 0, followed = 0, commits = 0;
    bool is_assigned = false;
    int idle_turns = 0;
    while (done < question_count || followed < follow_count || first_uncommitted) {
        if (!is_assigned) {
            // Before the group has let it in, nothing can be committed.
            rd_kafka_topic_partition_list_t *assignment;
            if (rd_kafka_assignment(consumer, &assignment)) die("cannot ask for the assignment");
            is_assigned = assignment->cnt > 0;
            rd_kafka_topic_partition_list_destroy(assignment);
            if (is_assigned) {
                if (from_assignment && !began) began = seconds(CLOCK_MONOTONIC), began_cpu = cpu_seconds();
                puts("{\"started\": true}");
                fflush(stdout);
            }
        }
        bool ran_dry = true;
        // The followed topics first, then the questions.
        for (int which = 0; which < 2; which++) {
            bool is_question = which == 1;
            int timeout = 0;
            if (is_question)
                timeout = !ran_dry ? 0
                          : in_transaction || !is_assigned ? 1
                          : idle_turns < LONGEST_WAIT_MS   ? ++idle_turns
                                                           : LONGEST_WAIT_MS;
            else if (!follower || !is_assigned)
                continue;
            int count = is_question ? gather(consumer, queue, timeout, gathered, MAX_GATHERED)
                                    : gather(follower, follower_queue, 0, gathered, MAX_GATHERED);
            if (count == MAX_GATHERED) ran_dry = false;
            for (int i = 0; i < count; i++) {
                rd_kafka_message_t *event = gathered[i];
                if (event->err) {
                    if (event->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
                        fprintf(stderr, "floor: %s\n", rd_kafka_message_errstr(event));
                    rd_kafka_message_destroy(event);
                    continue;
                }
                idle_turns = 0;
                if (!began) began = seconds(CLOCK_MONOTONIC), began_cpu = cpu_seconds();
                if (!first_uncommitted) first_uncommitted = seconds(CLOCK_MONOTONIC);
                publish_for(event, is_question);
                if (is_question) {
                    next_question[event->partition] = event->offset + 1;
                    done++;
                } else {
                    next_followed[strcmp(rd_kafka_topic_name(event->rkt), follow[0]) != 0][event->partition] =
                        event->offset + 1;
                    followed++;
                }
                if (uncommitted_bytes >= commit_bytes) {
                    commit();
                    commits++;
                    first_uncommitted = seconds(CLOCK_MONOTONIC);
                }
                rd_kafka_message_destroy(event);
            }
        }
        if (first_uncommitted &&
            ((ran_dry && in_transaction) || seconds(CLOCK_MONOTONIC) - first_uncommitted >= commit_ms / 1e3 ||
             (done >= question_count && followed >= follow_count))) {
            if (transactional && !in_transaction) fail_on(rd_kafka_begin_transaction(producer), "beginning a transaction");
            commit();
            commits++;
            first_uncommitted = 0;
        }
    }
    ended = seconds(CLOCK_MONOTONIC);
    ended_cpu = cpu_seconds();
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"records\": %" PRId64 ", \"published\": %" PRId64 ", \"followed\": %" PRId64 ", \"bytes\": %" PRId64 ", \"commits\": %" PRId64
           ", \"cpu_seconds\": %.6f, \"seconds\": %.6f, \"peak_rss_bytes\": %ld, \"librdkafka\": \"%s\"}\n",
           done, published, followed, published_bytes, commits, ended_cpu - began_cpu, ended - began, usage.ru_maxrss * 1024L,
           rd_kafka_version_str());
    fflush(stdout);
    // The commits are safe; leaving in good order would only cost time.
    _exit(0);
}
