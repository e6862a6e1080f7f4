import Bytes
import Hummingbird
import Throughput

/// `/group`: all workers of the group, as a page or as JSON; `/now`: this worker's latest line, for the others.
struct GroupRoutes: Sendable {
    static let path = "/group"
    static let now = "/now"

    let monitor: Monitor
    private let survey: GroupSurvey
    private let hasPeers: Bool

    init(monitor: Monitor, peers: [GroupPeer]) {
        self.monitor = monitor
        survey = GroupSurvey(peers: peers)
        hasPeers = !peers.isEmpty
    }

    func addRoutes(to router: Router<AdminRequestContext>) {
        router.get("/now") { _, _ in
            guard let line = monitor.latest else {
                let failure = ["error": "the worker has just started; ask again in a second"]
                return Response.json(.serviceUnavailable, failure)
            }
            return Response(.ok, "application/json", ByteBuffer(string: line.json + "\n"))
        }
        router.get("/group") { request, _ in await group(request) }
    }

    private func group(_ request: Request) async -> Response {
        let latest = monitor.latest
        let own = latest.map { GroupMember.Answer.line($0) } ?? .none(reason: "has just started")
        // One list may serve all workers, so it may contain this one.
        let others = await survey.members().filter { $0.worker == nil || $0.worker != latest?.worker }
        let members = [GroupMember(url: nil, answer: own)] + others
        var response =
            QuestionRoutes.wantsJSON(query: request.uri.query, accept: request.headers[.accept])
            ? Response(.ok, "application/json", ByteBuffer(string: Self.json(members) + "\n"))
            : .html(.ok, GroupPage(members: members, hasPeers: hasPeers).html, policy: QuestionRoutes.policy)
        response.headers[.vary] = "Accept"
        return response
    }

    /// One object a worker: its admin address (except the asked worker's), and its line or the reason for its absence.
    static func json(_ members: [GroupMember]) -> String {
        JSONWriter.object { answer in
            answer.add("workers", each: members) { member, object in
                if let url = member.url { object.add("url", url) }
                switch member.answer {
                case .line(let line): object.addJSON("line", line.json)
                case .none(let reason): object.add("error", reason)
                }
            }
        }
    }
}
