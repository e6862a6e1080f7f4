import Foundation

/// Whether two paths are one file, by whatever names, links included.
struct FileIdentity: Equatable {
    private let device: dev_t
    private let inode: ino_t

    /// nil where there is no regular file: a pipe or a device is not replaced by writing to it.
    init?(_ path: String) {
        var information = stat()
        guard path != "-", stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        device = information.st_dev
        inode = information.st_ino
    }

    /// - Throws: ``CommandFailure`` when a file that is to be written is one of those that are read.
    static func refuse(writing path: String?, by flag: String, over read: [(path: String, role: String)]) throws {
        guard let path, let written = FileIdentity(path),
            let same = read.first(where: { FileIdentity($0.path) == written })
        else { return }
        throw CommandFailure(
            .usage,
            "\(flag) \(Printable.quoted(path, limit: 500)) is \(same.role), which would be lost; name another file.")
    }
}
