import Worker

extension ThroughputLine {
    /// Shares of the lanes' time by activity; they add up to 1.
    package struct TimeShares: Sendable, Equatable {
        private var shares = [Double](repeating: 0, count: LaneActivity.allCases.count)

        /// - Parameter share: called once for each activity.
        package init(_ share: (LaneActivity) -> Double) {
            for activity in LaneActivity.allCases { self[activity] = share(activity) }
        }

        /// The share of one activity, from 0 to 1.
        package subscript(activity: LaneActivity) -> Double {
            get { shares[activity.rawValue] }
            set { shares[activity.rawValue] = newValue }
        }

        /// 1; 0 where no lane had time.
        package var total: Double { shares.reduce(0, +) }

        /// The mean, weighted by the lines' lengths; nil where no line has shares.
        package static func mean(_ lines: [ThroughputLine]) -> TimeShares? {
            var sum = TimeShares { _ in 0 }
            var seconds = 0.0
            for line in lines where line.timeShares.total > 0 && line.seconds > 0 {
                seconds += line.seconds
                for activity in LaneActivity.allCases { sum[activity] += line.timeShares[activity] * line.seconds }
            }
            guard seconds > 0 else { return nil }
            return TimeShares { sum[$0] / seconds }
        }
    }
}
