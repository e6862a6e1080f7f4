import KafkaClient
import Records

/// Sizes of a partition's store.
package struct StoreFigures: Sendable, Equatable {
    /// The partition of the questions topic, and of both tables.
    package var partition: Int32
    /// Bytes of its data file ever used.
    package var bytes: Int
    /// Visible answers.
    package var answers: Int
    /// Voters' current votes that are not 0.
    package var votes: Int
}

/// Progress of a partition's restore since its assignment.
package struct RestoreProgress: Sendable, Equatable {
    /// The partition of the questions topic, and of both tables.
    package var partition: Int32
    /// Table records that are done; 0 before its store is open. In a load, a record that is only read counts half.
    package var done: Int64
    /// Table records to read at the take-over; nil: not known yet.
    package var of: Int64?
    /// When the partition was assigned.
    package var since: ContinuousClock.Instant
}

/// The partitions of a source lane, and its index.
package struct SourceFigures: Sendable, Equatable {
    /// Progress of the lane's store through the index topic; no record is worked on before its end.
    package struct IndexProgress: Sendable, Equatable {
        /// Records of the index topic that are in the store.
        package var done: Int64
        /// Records to reach; nil: not known yet.
        package var of: Int64?
        /// The moment at which the reading began.
        package var since: ContinuousClock.Instant

        /// - Parameter of: nil: not known yet.
        package init(done: Int64, of: Int64?, since: ContinuousClock.Instant) {
            (self.done, self.of, self.since) = (done, of, since)
        }
    }

    /// In order of topic and number.
    package var partitions: [TopicPartition]
    /// nil: the index is caught up.
    package var index: IndexProgress?

    /// - Parameter index: nil: the index is caught up.
    package init(partitions: [TopicPartition] = [], index: IndexProgress? = nil) {
        self.partitions = partitions
        self.index = index
    }
}

/// The current wait of a lane.
package struct LaneWait: Sendable, Equatable {
    /// The awaited party or resource; the raw value completes "waits for".
    package enum Reason: String, Sendable, CaseIterable {
        case coordinator = "the transaction coordinator to commit"
        case groupCoordinator = "the group coordinator to commit offsets"
        case acknowledgements = "the broker to acknowledge what was produced"
        case producerQueue = "room in the producer's queue: the broker takes records slower than they are made"
        case input = "input from the broker"
        case committedOffsets = "the group's committed offsets"
        case takeOver = "a partition's take-over"
        case restore = "answers and votes to be restored"
        case sourceIndex = "the index of the sources"
        case schemaRegistry = "the schema registry"
        case store = "the store's disk"
        case retry = "the rest after a fault"
        case assignment = "the group to assign partitions"
    }

    /// The awaited party or resource.
    package var reason: Reason
    /// The moment at which the wait began.
    package var since: ContinuousClock.Instant
    /// The last error met while waiting, for people.
    package var cause: String?
}

/// A dead letter for the monitor: origin and reason, none of its content.
package struct DeadLetterNote: Sendable, Equatable {
    /// The code of the letter's header.
    package var code: RecordErrorCode
    /// The record's own topic and partition, not the letter's.
    package var place: TopicPartition
    /// The record's own offset.
    package var offset: Int64
    /// Field and reason.
    package var message: String
    /// When it was published, in milliseconds since 1970.
    package var time: Int64
}
