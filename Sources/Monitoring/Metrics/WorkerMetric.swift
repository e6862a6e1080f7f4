/// The metrics of a worker: names that dashboards and alerts of other people rely on, so they are added to and never renamed.
enum WorkerMetric {
    // MARK: - What it is

    static let build = MetricDefinition(
        "rejoinder_build_info", .gauge, "Always 1; its labels name the versions of the program and of librdkafka.")
    static let worker = MetricDefinition(
        "rejoinder_worker_info", .gauge,
        "Always 1; its labels name the consumer group, the worker by its identity (as client ids have it), and the delivery mode."
    )

    // MARK: - Records

    static let consumed = MetricDefinition(
        "rejoinder_records_consumed_total", .counter,
        "Records of the input topics that were worked on, invalid ones included, counted when they are committed."
    )
    static let consumedBytes = MetricDefinition(
        "rejoinder_consumed_bytes_total", .counter, "Bytes of these records' values.")
    static let published = MetricDefinition(
        "rejoinder_records_published_total", .counter,
        "Records published to the output topics, counted when they are committed.")
    static let publishedBytes = MetricDefinition(
        "rejoinder_published_bytes_total", .counter, "Bytes of the enriched values among them, before compression.")
    static let applied = MetricDefinition(
        "rejoinder_table_records_applied_total", .counter,
        "Records of the answers and votes topics that were applied to the stores.")
    static let attached = MetricDefinition(
        "rejoinder_answers_attached_total", .counter, "Answers in enriched records.")
    static let omitted = MetricDefinition(
        "rejoinder_answers_omitted_total", .counter, "Answers that enriched records had no room for.")
    static let unanswered = MetricDefinition(
        "rejoinder_questions_without_answers_total", .counter,
        "Enriched records of questions that no answer was stored for.")
    static let deadLetters = MetricDefinition(
        "rejoinder_dead_letters_total", .counter, "Records that could not be processed, by the code in their header.")
    static let lag = MetricDefinition(
        "rejoinder_consumer_lag", .gauge,
        "Records between the worker's position and the partition's end, of the partitions that it owns; looked at once a second."
    )

    // MARK: - Steps and commits

    static let commits = MetricDefinition("rejoinder_commits_total", .counter, "Commits that came through.")
    static let aborts = MetricDefinition(
        "rejoinder_aborts_total", .counter, "Steps that were undone because something failed, to be done again.")
    static let rebalances = MetricDefinition(
        "rejoinder_rebalances_total", .counter, "Times that the group gave partitions to a lane or took some from it.")
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
        "From taking a question event from the broker to the acknowledgement of what came of it.")
    static let eventLatency = MetricDefinition(
        "rejoinder_event_latency_seconds", .histogram(bounds: age),
        "From a question event's own timestamp to the acknowledgement of what came of it.")

    // MARK: - Lanes

    static let laneTime = MetricDefinition(
        "rejoinder_lane_time_seconds_total", .counter,
        "Where the lane's time went: every moment of it belongs to one activity.")
    static let laneWaiting = MetricDefinition(
        "rejoinder_lane_waiting_seconds", .gauge,
        "How long the lane has been held up, by what holds it up; 0 where it is not.")
    static let laneTurn = MetricDefinition(
        "rejoinder_lane_last_turn_timestamp_seconds", .gauge,
        "When the lane last turned, in seconds since 1970. It does several times a second, but inside calls that wait for a broker."
    )
    static let assigned = MetricDefinition(
        "rejoinder_partitions_assigned", .gauge,
        "Partitions that the worker has: those it works on and those it restores.")
    static let restoring = MetricDefinition(
        "rejoinder_partitions_restoring", .gauge, "Partitions whose answers and votes are not caught up yet.")

    // MARK: - Stores

    static let storeBytes = MetricDefinition(
        "rejoinder_store_bytes", .gauge, "Bytes of the partition's store on disk.")
    static let storeRows = MetricDefinition(
        "rejoinder_store_rows", .gauge,
        "What the partition's store holds: visible answers, and votes that are not retracted.")
    static let restoreRecords = MetricDefinition(
        "rejoinder_restore_records", .gauge,
        "Table records that there were to read when the partition was taken over; nothing before that is known.")
    static let restoreDone = MetricDefinition(
        "rejoinder_restore_records_done", .gauge,
        "Those of them that are done; where a store is filled for the first time, half done when they have been read.")
    static let restoreBegan = MetricDefinition(
        "rejoinder_restore_start_timestamp_seconds", .gauge,
        "When the partition that is being restored was assigned, in seconds since 1970.")

    // MARK: - The process, under the names that Prometheus' own libraries use

    static let processStart = MetricDefinition(
        "process_start_time_seconds", .gauge, "When the process began, in seconds since 1970.")
    static let processCPU = MetricDefinition(
        "process_cpu_seconds_total", .counter, "User and system time of the process.")
    static let processMemory = MetricDefinition(
        "process_resident_memory_bytes", .gauge, "Memory in use, mapped pages of the stores included.")

    static let all = [
        build, worker, consumed, consumedBytes, published, publishedBytes, applied, attached, omitted, unanswered,
        deadLetters, lag, commits, aborts, rebalances, lastCommit, step, commit, recordLatency, eventLatency, laneTime,
        laneWaiting, laneTurn, assigned, restoring, storeBytes, storeRows, restoreRecords, restoreDone, restoreBegan,
        processStart, processCPU, processMemory,
    ]

    /// For what takes from a fraction of a millisecond to as long as a broker may be away, in seconds.
    private static let work = [
        0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// For what may have waited in its topic, in seconds: up to a week.
    private static let age = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400, 604_800,
    ]
}
