import Worker

/// The worker's metrics. Users' dashboards and alerts rely on the names: add to them, never rename one.
enum WorkerMetric {
    // MARK: - Identity

    static let build = MetricDefinition(
        "rejoinder_build_info", .gauge, "Always 1; its labels name the versions of the program and of librdkafka.")
    static let worker = MetricDefinition(
        "rejoinder_worker_info", .gauge,
        "Always 1; its labels name the consumer group, the worker by its identity (as client ids have it), and the "
            + "delivery mode."
    )

    // MARK: - Records

    /// A family of the ``Worker/LaneCounter`` table that dead letters count in too.
    static let published = "rejoinder_records_published_total"
    static let deadLetters = MetricDefinition(
        "rejoinder_dead_letters_total", .counter, "Records that could not be processed, by the code in their header.")
    static let lag = MetricDefinition(
        "rejoinder_consumer_lag", .gauge,
        "Records between the worker's position and the partition's end, of the partitions that it owns; looked at once "
            + "a second."
    )

    static let lagSeconds = MetricDefinition(
        "rejoinder_consumer_lag_seconds", .gauge,
        "For how long the oldest record that is not finished has waited; 0 where nothing waits, nothing while it is "
            + "not known."
    )
    static let lagAge = MetricDefinition(
        "rejoinder_consumer_lag_age_seconds", .gauge,
        "How long ago the partition's leader told the end that the lag is counted to; it is asked once a second.")
    static let heldBack = MetricDefinition(
        "rejoinder_held_back_records", .gauge,
        "Records that an open transaction keeps from being read; nothing where none is.")
    static let brokerSilence = MetricDefinition(
        "rejoinder_broker_silence_seconds", .gauge, "For how long no broker has told the end of a partition.")
    static let verdict = MetricDefinition(
        "rejoinder_verdict", .gauge,
        "1 for the kind of the worker's verdict, the first line of its page; 0 for the others.")
    static let timed = MetricDefinition(
        "rejoinder_timed_events_total", .counter, "Question events whose age was measured when they were acknowledged.")
    static let fresh = MetricDefinition(
        "rejoinder_fresh_events_total", .counter,
        "Those of them that were no older than the freshness objective, by their own timestamps.")
    static let objective = MetricDefinition(
        "rejoinder_freshness_objective_seconds", .gauge, "The freshness objective: monitoring.objectiveMs.")

    // MARK: - Steps and commits

    /// In the place of a topic, for those of the sources together.
    static let sourcesTopic = "sources"
    static let offsetResets = MetricDefinition(
        "rejoinder_offset_resets_total", .counter,
        "Partitions whose position did not match the topic's log, by reason: beyond its end, below its start, or "
            + "missing though committed once."
    )
    static let lastCommit = MetricDefinition(
        "rejoinder_last_commit_timestamp_seconds", .gauge,
        "When a commit of the lane last came through, in seconds since 1970; nothing before the first.")
    static let step = MetricDefinition(
        "rejoinder_step_seconds", .histogram(bounds: work),
        "Duration of the lanes' steps in which something was done: tables, a batch of questions, their commit.")
    static let commit = MetricDefinition(
        "rejoinder_commit_seconds", .histogram(bounds: work), "Duration of commits that came through.")
    static let recordLatency = MetricDefinition(
        "rejoinder_record_latency_seconds", .histogram(bounds: work),
        "From taking a question event from the broker to the acknowledgement of its output.")
    static let eventLatency = MetricDefinition(
        "rejoinder_event_latency_seconds", .histogram(bounds: age),
        "From a question event's own timestamp to the acknowledgement of its output.")

    // MARK: - Lanes

    static let laneTime = MetricDefinition(
        "rejoinder_lane_time_seconds_total", .counter,
        "Where the lane's time went: every moment of it belongs to one activity.")
    static let laneWaiting = MetricDefinition(
        "rejoinder_lane_waiting_seconds", .gauge,
        "How long the lane has waited, by the reason of the wait; 0 where it does not wait.")
    static let laneTurn = MetricDefinition(
        "rejoinder_lane_last_turn_timestamp_seconds", .gauge,
        "When the lane last turned, in seconds since 1970. It does several times a second, but inside calls that wait "
            + "for a broker."
    )
    static let assigned = MetricDefinition(
        "rejoinder_partitions_assigned", .gauge,
        "Partitions that the worker has: those it works on and those it restores.")
    static let topicMissing = MetricDefinition(
        "rejoinder_topic_missing", .gauge,
        "1 where one of the worker's topics was deleted while it runs, else 0; looked at every few seconds.")
    static let restoring = MetricDefinition(
        "rejoinder_partitions_restoring", .gauge, "Partitions whose answers and votes are not caught up yet.")

    // MARK: - Stores

    static let storeBytes = MetricDefinition(
        "rejoinder_store_bytes", .gauge, "Bytes of the partition's store on disk.")
    static let storeRows = MetricDefinition(
        "rejoinder_store_rows", .gauge,
        "Rows of the partition's store: visible answers, and votes that are not retracted.")
    static let restoreRecords = MetricDefinition(
        "rejoinder_restore_records", .gauge,
        "Table records that there were to read when the partition was taken over; nothing before that is known.")
    static let restoreDone = MetricDefinition(
        "rejoinder_restore_records_done", .gauge,
        "Those of them that are done; where a store is filled for the first time, half done when they have been read.")
    static let restoreBegan = MetricDefinition(
        "rejoinder_restore_start_timestamp_seconds", .gauge,
        "When the partition that is being restored was assigned, in seconds since 1970.")

    // MARK: - The process, under the names in Prometheus' own libraries

    static let processStart = MetricDefinition(
        "process_start_time_seconds", .gauge, "When the process began, in seconds since 1970.")
    static let processCPU = MetricDefinition(
        "process_cpu_seconds_total", .counter, "User and system time of the process.")
    static let processMemory = MetricDefinition(
        "process_resident_memory_bytes", .gauge, "Memory in use, mapped pages of the stores included.")

    static let all =
        [build, worker] + counters + [
            deadLetters, offsetResets, lag, lagSeconds, lagAge, heldBack, brokerSilence, verdict, timed, fresh,
            objective, lastCommit,
            step, commit, recordLatency, eventLatency, laneTime, laneWaiting, laneTurn,
            assigned, restoring, topicMissing, storeBytes, storeRows, restoreRecords, restoreDone, restoreBegan,
            processStart,
            processCPU, processMemory,
        ] + laneGauges

    /// The families of ``Worker/LaneGauge``, in the same order.
    static let laneGauges = LaneGauge.allCases.map { MetricDefinition($0.metric, .gauge, $0.help) }

    /// The families of ``Worker/LaneCounter``.
    private static let counters = {
        var names: Set<String> = []
        return LaneCounter.all.compactMap(\.metric).filter { names.insert($0.name).inserted }.map {
            MetricDefinition($0.name, .counter, $0.help)
        }
    }()

    /// Buckets for durations of work, from a fraction of a millisecond to a broker's outage, in seconds.
    private static let work = [
        0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// Buckets for the age of records that may have waited in their topic, in seconds, up to a week.
    private static let age = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400, 604_800,
    ]
}
