import Testing

@testable import Worker

@Suite("The pace of take-overs")
struct TakeOverPaceTests {
    /// Tries to take a partition over whose offsets are held back: each try lasts as long as it may.
    /// - Returns: the lane's time that the tries took, and the time between the longest two.
    private func tries(
        othersWait: Bool, during span: Duration = .seconds(120)
    ) -> (share: Double, longestPause: Duration) {
        var pace = TakeOverPace()
        let began = ContinuousClock.now
        var (now, spent, longest) = (began, Duration.zero, Duration.zero)
        while now - began < span {
            let patience = pace.patience
            now += patience
            spent += patience
            pace.hasFailed(byTimeout: true, after: patience, othersWait: othersWait, now: now)
            let failed = now
            while !pace.isDue(now: now) { now += .milliseconds(10) }
            longest = max(longest, now - failed)
        }
        return (spent / (now - began), longest)
    }

    @Test("partitions that are caught up keep most of the lane's time while another's offsets are held back")
    func share() {
        let (share, longestPause) = tries(othersWait: true)
        #expect(share < 0.12)
        #expect(longestPause <= .seconds(17))
    }

    @Test("where no partition is caught up, the pause is short")
    func alone() {
        #expect(tries(othersWait: false).longestPause <= .milliseconds(510))
    }

    @Test("a try that fails at once is soon repeated, and a success ends the pause")
    func short() {
        var pace = TakeOverPace()
        let now = ContinuousClock.now
        #expect(pace.isDue(now: now))
        pace.hasFailed(byTimeout: false, after: .milliseconds(3), othersWait: true, now: now)
        #expect(!pace.isDue(now: now + .milliseconds(499)) && pace.isDue(now: now + .milliseconds(500)))
        #expect(pace.patience == .milliseconds(250))
        pace.hasFailed(byTimeout: true, after: .milliseconds(250), othersWait: true, now: now)
        #expect(pace.patience == .milliseconds(500))
        #expect(!pace.isDue(now: now + .milliseconds(1999)) && pace.isDue(now: now + .seconds(2)))
        pace.succeeded()
        #expect(pace.isDue(now: now) && pace.patience == .milliseconds(250))
    }
}
