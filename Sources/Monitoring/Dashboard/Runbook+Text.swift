extension Runbook {
    /// The section Alerts of docs/operating.md: after a change there, run scripts/embed-runbook.py.
    static let text = #"""
        ## Alerts

        `deploy/prometheus/alerts.yml` has these alerts. Their thresholds suit a worker that should be at most seconds behind.

        ### RejoinderDown

        A worker has not answered a scrape for a minute. If it has ended, its exit status and the last line of its log give the cause and
        the remedy ([exit statuses](#exit-statuses)). If it runs, Prometheus cannot reach its `admin.host` and `admin.port`. Other workers
        of its group have its partitions after the session timeout; look at their lag.

        ### RejoinderAbsent

        Prometheus knows of no worker that answers. Either no worker runs and no question is enriched, or Prometheus can reach none of
        them, or the scrape configuration does not find them (Status, Targets in Prometheus).

        ### RejoinderRestarting

        A worker was started three times or more in half an hour. The last line before each start, at level error, is the reason. Status
        69: the broker did not answer at the start; 73: another process uses the state directory; 78: the configuration or the topics do
        not fit. Rolling many versions in a row has the same effect.

        ### RejoinderUnreachable

        No broker has answered the worker for half a minute, and it has committed nothing. Look at the brokers and the network between.
        The worker goes on by itself from its last position once they answer; a restart does not help.

        ### RejoinderBehind

        The oldest unfinished record has waited for more than the freshness objective for five minutes. The verdict on the dashboard shows
        whether the lag grows, and *Where the time goes* the remedy: see [RejoinderLagGrowing](#rejoinderlaggrowing). Where
        `rejoinder_held_back_records` is not 0, a producer has left a transaction open: see [open transactions](#open-transactions).

        ### RejoinderFreshnessBurning

        More events were late than the objective allows: of 100 events, 99 should be acknowledged within `monitoring.objectiveMs` of their
        own timestamps. `fast`: at this rate a month's allowance of late events is gone in two days; `slow`: in five. The alert counts
        finished events; while none finishes, RejoinderBehind and RejoinderNoCommits fire. A backfill of old events is late by its
        timestamps: silence the alert meanwhile.

        ### RejoinderLagGrowing

        More than 1,000 records of a topic wait, and their number grows. Look at *Where the time goes* on the dashboard. Mostly
        `committing` or `producing`: the broker is slow, see its own metrics and `rejoinder_commit_seconds`. Mostly `reading`, `lookup`,
        `rendering`: the worker is at its limit; raise `lanes` up to its cores, or start more workers, up to the number of partitions.
        Mostly `applying_tables`: a burst of answers or votes. It passes; if not, the state directory's disk is slow. One partition alone:
        most records share a key; more workers do not help. `idle` or `waiting_for_input` with lag: the broker does not hand out the
        records, or a producer holds a transaction open.

        ### RejoinderNoCommits

        Input waits at this worker, none of its partitions is or has just been restored, and no commit succeeded for five minutes.
        `rejoinder_lane_waiting_seconds` and the log's lines `waiting for the broker` and `stalled` name the cause of the wait. If
        `rejoinder_aborts_total` grows, the worker's commits fail: the log's `transaction aborted` has the cause. A producer that has left
        a transaction open in an input topic is another cause: the records after it can be read only once it ends ([open
        transactions](#open-transactions)). A restart of the worker helps only if another worker has no such trouble.

        ### Open transactions

        Records after the beginning of an open transaction are held back from every `read_committed` reader until it ends. The verdict,
        `rejoinder_held_back_records` and `lag.heldBack` in the throughput log name the partition, the number of records, and the first
        offset. To find the producer and to end its transaction:

            kafka-transactions.sh --bootstrap-server localhost:9092 describe-producers --topic questions --partition 0
            kafka-transactions.sh --bootstrap-server localhost:9092 abort --topic questions --partition 0 --start-offset OFFSET

        The producer is in the line whose `CurrentTransactionStartOffset` is not `None`; that number is OFFSET. A live producer ends its
        transaction by itself, at the latest at its `transaction.timeout.ms`. (`find-hanging` needs `--broker-id`, and finds only
        transactions older than the brokers' `transaction.max.timeout.ms`.)

        ### RejoinderLaneStalled

        A lane has not turned for more than a minute, and `/healthz` answers 503. It is inside a call that waits for a broker or a disk;
        `rejoinder_lane_waiting_seconds` names it. The lane goes on by itself once that answers. Restart the worker only if broker and
        disk are well.

        ### RejoinderLaneWaiting

        One wait has held a lane up for more than a minute. By `reason`:

        | reason | look at |
        |---|---|
        | `coordinator`, `group_coordinator` | the brokers that lead `__transaction_state` and `__consumer_offsets`; their disks and in-sync replicas |
        | `acknowledgements`, `producer_queue` | the brokers that lead the output topics; `min.insync.replicas`; quotas |
        | `input` | the brokers that lead the input topics; quotas; an open transaction of a producer |
        | `committed_offsets`, `take_over` | an open transaction of a worker that was killed (it times out by itself), a table without a leader, or a store that another lane has not closed |
        | `store` | the disk under `store.directory`: is it full, is it slow |
        | `retry` | the log's `transaction aborted` |

        ### RejoinderDeadLetters

        Records were put aside in the dead-letter topic, each with its error and its origin ([bad records](#bad-records)). Mostly a
        producer writes records that the schemas forbid: `rejoinder.error.message` names field and reason. Once the producer is mended,
        send the records again; `rejoinder replay` can do it from the dead-letter topic ([replaying](replaying.md)). `too-large`: a
        question that does not fit `maxRecordBytes` even without answers.

        ### RejoinderAborting

        More than five steps were undone in ten minutes. No record is lost or doubled, but the work is repeated over and over. The log's
        `transaction aborted` and `producer renewed` have the causes: mostly transactions that take longer than `transaction.timeout.ms`,
        because the broker is slow, or a broker that restarts.

        ### RejoinderRebalancing

        The group moved partitions more than ten times in a quarter of an hour. Causes are workers that restart
        ([RejoinderRestarting](#rejoinderrestarting)), an unstable autoscaler, or members that the group takes for dead: a process that
        gets no CPU, or a network that drops. `kafka.staticMembership: true` keeps a restart from moving partitions.

        ### RejoinderRestoreTooLong

        A partition has been restored for more than a quarter of an hour, and its questions wait. `rejoinder_restore_records_done` against
        `rejoinder_restore_records` shows the progress. Where a store is filled for the first time, the first half is reading, the second
        writing. If the figure moves, the restore only takes its time: the partition's stores were missing or old (see `store rebuilt` in
        the log), and a state directory that survives restarts avoids it next time. If it does not move, the tables' topics do not answer:
        check their leaders, and open transactions in them.

        ### RejoinderOffsetReset

        A partition's position did not match its topic's log, and the worker went on from another: see [Offsets that do not
        match](#offsets-that-do-not-match). The log's line `offset reset: …` has topic, partition, `from`, `to`, and the log's beginning
        and end. The alert fires for an hour after each.

        ### RejoinderTopicMissing

        One of the five topics was deleted while workers run; `/readyz` answers 503 with `topic-missing`. The workers look every five
        seconds and believe the second look. They go on with the other topics as far as possible: without `questions` they have no
        partitions, without `answers` or `votes` they publish questions with the stores' contents. Create the topic again
        (`rejoinder topics create`). An output topic is used again at once, also with another number of partitions. A new input topic
        begins at offset 0, so restart the workers; where the group's offsets lie beyond its end, [they say
        so](#offsets-that-do-not-match).

        ### RejoinderChangesWaiting

        With `publish.on: changes`, a lane has had a change to publish for more than ten times `publish.coalesceMs` (and more than ten
        seconds), for a minute: some records of `questions.enriched` are that old. With the log's line
        `changes come faster than they can be published`, the changes exceed the broker's or the lane's capacity. *Where the time goes*
        shows which; raise `publish.coalesceMs`, so that more changes share a record, or `lanes`. If `rejoinder_aborts_total` grows, the
        lane's commits fail: see [RejoinderAborting](#rejoinderaborting). Otherwise the lane is held up: see
        [RejoinderLaneWaiting](#rejoinderlanewaiting). No change is lost: the committed offsets of `answers` and `votes` stay below the
        oldest one.
        """#
}
