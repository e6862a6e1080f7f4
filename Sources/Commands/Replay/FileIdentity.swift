import Foundation

/// A file's device and inode: equal for two paths to one file, links included.
struct FileIdentity: Equatable {
    private let device: dev_t
    private let inode: ino_t

    /// nil where there is no regular file: writing to a pipe or a device does not replace it.
    init?(_ path: String) {
        var information = stat()
        guard path != "-", stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        device = information.st_dev
        inode = information.st_ino
    }

    /// - Throws: ``CommandFailure`` when the file to write is one of the files to read.
    static func refuse(writing path: String?, by flag: String, over read: [(path: String, role: String)]) throws {
        guard let path, let written = FileIdentity(path),
            let same = read.first(where: { FileIdentity($0.path) == written })
        else { return }
        throw CommandFailure(
            .usage,
            "\(flag) \(Printable.quoted(path, limit: 500)) is \(same.role), which would be lost; name another file.")
    }
}
