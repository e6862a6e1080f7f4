import CCurl
import Foundation

/// HTTP by libcurl: one request at a time, over kept connections. Used by one thread.
final class RegistryTransport {
    struct Answer {
        var status: Int
        var body: [UInt8]
    }

    enum Failure: Error {
        /// libcurl's message, or one about a file that cannot be read.
        case unreachable(String)
        case tooLarge
        case cancelled
    }

    /// Schemas are some kilobytes; the longest that were seen, some hundreds.
    static let longestAnswer = 8 << 20
    private static let connectMilliseconds = 3_000
    private static let requestMilliseconds = 10_000
    /// `CURLAUTH_BASIC`, a macro that Swift does not import.
    private static let basicAuthentication = 1

    /// The state of libcurl's callbacks during a request.
    private final class Exchange {
        var body: [UInt8] = []
        var isTooLarge = false
        let isCancelled: () -> Bool

        init(_ isCancelled: @escaping () -> Bool) { self.isCancelled = isCancelled }
    }

    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let configuration: RegistryConfiguration
    private let isCancelled: () -> Bool
    /// nil: libcurl has no memory for it; every request fails with that.
    private let handle: UnsafeMutableRawPointer?
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// - Parameter isCancelled: asked about once a second while a request lasts, on the same thread.
    init(_ configuration: RegistryConfiguration, isCancelled: @escaping () -> Bool) {
        self.configuration = configuration
        self.isCancelled = isCancelled
        handle = Self.isReady ? curl_easy_init() : nil
        headers = curl_slist_append(nil, "Accept: application/vnd.schemaregistry.v1+json, application/json")
        if handle != nil { setUp() }
    }

    deinit {
        if let handle { curl_easy_cleanup(handle) }
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    private func setUp() {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_NOPROGRESS, 0)
        set(CURLOPT_CONNECTTIMEOUT_MS, Self.connectMilliseconds)
        set(CURLOPT_TIMEOUT_MS, Self.requestMilliseconds)
        // A redirect would take the password elsewhere.
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_USERAGENT, "rejoinder")
        set(CURLOPT_CAINFO, configuration.authorityFile)
        set(CURLOPT_SSLCERT, configuration.certificateFile)
        set(CURLOPT_SSLKEY, configuration.keyFile)
        set(CURLOPT_KEYPASSWD, configuration.keyPassword)
        if configuration.username != nil || configuration.password != nil {
            set(CURLOPT_HTTPAUTH, Self.basicAuthentication)
            set(CURLOPT_USERNAME, configuration.username ?? "")
        }
        _ = curl_set_pointer(handle, CURLOPT_HTTPHEADER, headers)
        _ = curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText)
        _ = curl_set_write(handle) { bytes, size, count, exchange in
            guard let bytes, let exchange else { return 0 }
            let own = Unmanaged<Exchange>.fromOpaque(exchange).takeUnretainedValue()
            guard own.body.count + size * count <= RegistryTransport.longestAnswer else {
                own.isTooLarge = true
                return 0
            }
            own.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        _ = curl_set_progress(handle) { exchange, _, _, _, _ in
            guard let exchange else { return 0 }
            return Unmanaged<Exchange>.fromOpaque(exchange).takeUnretainedValue().isCancelled() ? 1 : 0
        }
    }

    func get(_ url: String) throws(Failure) -> Answer {
        guard !isCancelled() else { throw .cancelled }
        guard handle != nil else { throw .unreachable("libcurl has no memory for a request") }
        try setPassword()
        let exchange = Exchange(isCancelled)
        set(CURLOPT_URL, url)
        errorText.pointee = 0
        let code = withExtendedLifetime(exchange) {
            let pointer = Unmanaged.passUnretained(exchange).toOpaque()
            _ = curl_set_pointer(handle, CURLOPT_WRITEDATA, pointer)
            _ = curl_set_pointer(handle, CURLOPT_XFERINFODATA, pointer)
            return Self.withoutBrokenPipes { curl_easy_perform(handle) }
        }
        guard code == CURLE_OK else {
            if exchange.isTooLarge { throw .tooLarge }
            if code == CURLE_ABORTED_BY_CALLBACK { throw .cancelled }
            throw .unreachable(
                errorText.pointee == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: errorText))
        }
        var status = 0
        _ = curl_get_status(handle, &status)
        return Answer(status: status, body: exchange.body)
    }

    /// Blocks SIGPIPE meanwhile. OpenSSL may write to a socket that the peer has closed, and libcurl with NOSIGNAL
    /// leaves the signal alone, which would end the process.
    private static func withoutBrokenPipes(_ body: () -> CURLcode) -> CURLcode {
        #if os(Linux)
            var pipe = sigset_t()
            var before = sigset_t()
            sigemptyset(&pipe)
            sigaddset(&pipe, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &pipe, &before)
            defer {
                // The signal may be pending for this thread: consumed before it is unblocked.
                var none = timespec()
                sigtimedwait(&pipe, nil, &none)
                pthread_sigmask(SIG_SETMASK, &before, nil)
            }
        #endif
        return body()
    }

    private func setPassword() throws(Failure) {
        switch configuration.password {
        case nil: break
        case .text(let text)?: set(CURLOPT_PASSWORD, text)
        case .file(let path)?:
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw .unreachable("the file of registry.passwordFile cannot be read")
            }
            set(CURLOPT_PASSWORD, text.trimmingCharacters(in: .newlines))
        }
    }

    private func set(_ option: CURLoption, _ value: Int) { _ = curl_set_long(handle, option, value) }

    private func set(_ option: CURLoption, _ value: String?) {
        guard let value else { return }
        _ = curl_set_text(handle, option, value)
    }
}
