import Bytes
import Foundation
import Testing

@Suite struct FilesTests {
    private let directory = FileManager.default.temporaryDirectory.appendingPathComponent("rejoinder-\(UUID())").path

    private func inDirectory(_ body: () throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body()
    }

    private var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: directory).sorted()) ?? [] }

    private func content(_ name: String) -> String? {
        try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
    }

    @Test func aFileHasItsOldContentUntilItIsFinished() throws {
        try inDirectory {
            try "old".write(toFile: "\(directory)/a", atomically: false, encoding: .utf8)
            chmod("\(directory)/a", 0o640)
            let file = try AtomicFile(path: "\(directory)/a")
            try Descriptor.writeAll(Array("new".utf8), to: file.descriptor)
            #expect(content("a") == "old")
            #expect(names.count == 2)
            try file.finish()
            #expect(content("a") == "new")
            #expect(names == ["a"])
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/a")
            #expect(attributes[.posixPermissions] as? Int == 0o640)
        }
    }

    @Test func withoutAnEndNothingIsLeft() throws {
        try inDirectory {
            do {
                let file = try AtomicFile(path: "\(directory)/a")
                try Descriptor.writeAll(Array("new".utf8), to: file.descriptor)
                #expect(names.count == 1)
            }
            #expect(names == [])
        }
    }

    @Test func aLinkStaysALinkAndAnAbandonedFileKeepsItsTemporaryName() throws {
        try inDirectory {
            try "old".write(toFile: "\(directory)/a", atomically: false, encoding: .utf8)
            try FileManager.default.createSymbolicLink(atPath: "\(directory)/link", withDestinationPath: "a")
            try AtomicFile(path: "\(directory)/link").finish()
            #expect(content("a") == "")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/link") == "a")
            do {
                let file = try AtomicFile(path: "\(directory)/b") { $0 + ".part" }
                try Descriptor.writeAll(Array("half".utf8), to: file.descriptor)
                file.abandon()
            }
            #expect(content("b.part") == "half")
            try AtomicFile(path: "\(directory)/c") { $0 + ".part" }.finish(named: false)
            #expect(names == ["a", "b.part", "c.part", "link"])
        }
    }

    @Test func aDirectoryThatIsNotThereIsAFailure() {
        #expect(throws: SystemFailure(code: ENOENT)) { try AtomicFile(path: "\(directory)/none/a") }
    }

    @Test func aCallIsRepeatedOnlyAfterAnInterruption() throws {
        var calls = 0
        let result = try retryOnInterrupt { () -> Int in
            calls += 1
            guard calls == 3 else {
                errno = EINTR
                return -1
            }
            return 7
        }
        #expect(result == 7)
        #expect(throws: SystemFailure(code: EIO)) {
            try retryOnInterrupt { () -> Int32 in
                calls += 1
                errno = EIO
                return -1
            }
        }
        #expect(calls == 4)
    }

    @Test func allBytesAreWrittenThroughAFullPipeThatDoesNotBlock() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (input, output) = (ends[0], ends[1])
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        let reader = Thread {
            var room = [UInt8](repeating: 0, count: 1 << 16)
            var left = bytes.count
            while left > 0, let count = try? Descriptor.readSome(input, into: &room), count > 0 {
                left -= count
            }
            close(input)
        }
        reader.start()
        var written = 0
        try bytes.withUnsafeBytes { try Descriptor.writeAll($0, to: output) { written += $0 } }
        close(output)
        #expect(written == bytes.count)
    }
}
