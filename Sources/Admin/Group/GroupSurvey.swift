import AdminRequests
import Foundation
import Throughput

/// Asks the group's other workers for their latest lines, all at the same time. Surveys are at least a second apart;
/// requests in between get the last one, so that open pages do not add up.
actor GroupSurvey {
    /// The longest wait for an answer, and so for a page.
    private static let patience = Duration.seconds(2)
    private static let pause = Duration.seconds(1)

    private let peers: [GroupPeer]
    private var last: (members: [GroupMember], at: ContinuousClock.Instant)?
    private var running: Task<[GroupMember], Never>?

    init(peers: [GroupPeer]) { self.peers = peers }

    /// The other workers, in the order of the configuration.
    func members() async -> [GroupMember] {
        if let last, .now - last.at < Self.pause { return last.members }
        if let running { return await running.value }
        let survey = Task { [peers] in await Self.ask(peers) }
        running = survey
        let members = await survey.value
        last = (members, .now)
        running = nil
        return members
    }

    private static func ask(_ peers: [GroupPeer]) async -> [GroupMember] {
        await withTaskGroup(of: (Int, GroupMember).self) { group in
            for (index, peer) in peers.enumerated() { group.addTask { (index, await ask(peer)) } }
            var members: [(Int, GroupMember)] = []
            for await member in group { members.append(member) }
            return members.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Runs on a thread of its own, since the probe blocks.
    private static func ask(_ peer: GroupPeer) async -> GroupMember {
        await withCheckedContinuation { continuation in
            let thread = Thread {
                continuation.resume(returning: GroupMember(url: peer.url, answer: answer(of: peer)))
            }
            thread.name = "group-survey"
            thread.start()
        }
    }

    private static func answer(of peer: GroupPeer) -> GroupMember.Answer {
        do throws(AdminProbe.Failure) {
            let answer = try AdminProbe.get(
                host: peer.host, port: peer.port, path: peer.path + GroupRoutes.now, patience: patience)
            switch answer.status {
            case 200:
                guard let line = ThroughputLine(json: answer.body) else {
                    return .none(reason: "answers, but not as a worker of this version does")
                }
                return .line(line)
            case 421: return .none(reason: AdminProbe.onlyLocalNames)
            default: return .none(reason: "answers with status \(answer.status)")
            }
        } catch {
            return .none(reason: error.description)
        }
    }
}
