// librdkafka's mock cluster in a process of its own: `waiting_broker PARTITIONS TOPIC...` makes the topics, prints the
// bootstrap address, and ends when its input does.

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void fail(const char *doing, const char *why) {
    fprintf(stderr, "waiting_broker: %s failed: %s\n", doing, why);
    exit(1);
}

int main(int count, char **words) {
    char why[512];
    if (count < 3) fail("starting", "give the number of partitions and the topics");
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    // It never has a broker of its own to speak to, and need not say so.
    rd_kafka_conf_set(settings, "log_level", "0", why, sizeof why);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, settings, why, sizeof why);
    if (!client) fail("making a client", why);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, 1);
    if (!cluster) fail("making the cluster", "librdkafka does not say why");
    for (int index = 2; index < count; index++) {
        rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(cluster, words[index], atoi(words[1]), 1);
        if (error) fail(words[index], rd_kafka_err2str(error));
    }
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {}
    return 0;
}
