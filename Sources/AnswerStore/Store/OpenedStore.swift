/// The way in which a store was opened.
package enum StoreOpening: Equatable, Sendable {
    /// No store existed; it is new and empty.
    case created
    /// The existing store is valid and continues from its positions.
    case resumed
    /// The existing store could not be trusted and was deleted; the new one is empty. The reason is for people.
    case rebuilt(reason: String)
}

/// An opened store, and how it was opened.
package struct OpenedStore {
    /// Open, and this process's alone until it is closed.
    package let store: AnswerStore
    /// The fate of the store that was there before.
    package let opening: StoreOpening
}
