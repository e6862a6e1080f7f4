import Foundation
import Testing

@testable import Admin
@testable import Throughput

@Suite("The runbook")
struct RunbookTests {
    @Test("is the section of the documentation")
    func documentation() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../docs/operating.md")
        let documentation = try String(contentsOf: file, encoding: .utf8)
        #expect(documentation.contains(Runbook.text), "run scripts/embed-runbook.py")
    }

    @Test("has a place for every verdict and every alert that leads to it")
    func anchors() throws {
        let deploy = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../deploy/prometheus/alerts.yml")
        let alerts = try String(contentsOf: deploy, encoding: .utf8)
        let wanted = alerts.matches(of: /operating\.md#([a-z-]+)/).map { String($0.output.1) }
        #expect(wanted.count > 10)
        for anchor in wanted + [
            "rejoinderunreachable", "rejoinderlanewaiting", "rejoindernocommits", "open-transactions",
        ] {
            #expect(Runbook.html.contains("id=\"\(anchor)\""), "\(anchor)")
        }
    }

    @Test("shows code, tables and links, and no markup of the text's")
    func markup() {
        #expect(Runbook.html.contains("<code>rejoinder_lane_waiting_seconds</code>"))
        #expect(Runbook.html.contains("<table><tr><th>reason</th>") || Runbook.html.contains("<th> reason </th>"))
        #expect(Runbook.html.contains("<a href=\"#open-transactions\">open transactions</a>"))
        #expect(!Runbook.html.contains("**") && !Runbook.html.contains("]("))
    }
}
