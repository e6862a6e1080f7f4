import AnswerStore
import KafkaClient

/// The product's version and those of the libraries that its behaviour depends on.
enum ProductVersion {
    static let number = "0.2.0"

    static var text: String {
        "rejoinder \(number) (librdkafka \(KafkaProperties.librdkafkaVersion), LMDB \(LMDBVersion.text))"
    }
}
