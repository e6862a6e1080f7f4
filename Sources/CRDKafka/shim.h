#ifndef REJOINDER_CRDKAFKA_SHIM_H
#define REJOINDER_CRDKAFKA_SHIM_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

// Swift cannot call C variadics, and rd_kafka_producev is the one way to a record with a timestamp
// or headers that allocates no error object when the queue is full. A timestamp of 0 means now.
// Headers, when not null, belong to librdkafka once this returns no error, else still to the caller.
static inline rd_kafka_resp_err_t
rejoinder_produce(rd_kafka_t *rk, rd_kafka_topic_t *rkt, int32_t partition,
                  const void *key, size_t key_size, const void *value, size_t value_size,
                  int64_t timestamp, rd_kafka_headers_t *headers) {
    return rd_kafka_producev(
        rk, RD_KAFKA_V_RKT(rkt), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)key, key_size), RD_KAFKA_V_VALUE((void *)value, value_size),
        RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
}

#endif
