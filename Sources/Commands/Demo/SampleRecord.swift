import Foundation

/// One line of a sample recording, in the envelope that `kcat -J` prints.
struct SampleRecord: Decodable {
    var topic: String
    var partition: Int32
    var ts: Int64?
    /// Names and values in turn, as kcat writes them.
    var headers: [String]?
    /// nil is Kafka's null.
    var key: String?
    var payload: String?

    /// Reads a recording, one record a line.
    /// - Throws: ``CommandFailure`` that names the file and the line.
    static func read(_ file: URL) throws(CommandFailure) -> [SampleRecord] {
        let data: Data
        do {
            data = try Data(contentsOf: file)
        } catch {
            throw CommandFailure(
                .badData,
                "the sample recording \(file.path) cannot be read; run this from the project's folder, or name the folder of "
                    + "the recordings with --examples")
        }
        var records: [SampleRecord] = []
        let decoder = JSONDecoder()
        for (index, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            do {
                records.append(try decoder.decode(SampleRecord.self, from: line))
            } catch {
                throw CommandFailure(.badData, "\(file.path) line \(index + 1) is not a recorded record: \(error)")
            }
        }
        return records
    }
}
