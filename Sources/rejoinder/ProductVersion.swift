/// The product's version and those of the libraries that its behaviour depends on.
enum ProductVersion {
    static let product = "0.1.0"

    static var text: String { "rejoinder \(product)" }
}
