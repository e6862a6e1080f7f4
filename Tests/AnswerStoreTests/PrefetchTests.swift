import Testing

@testable import AnswerStore

@Suite struct PrefetchTests {
    @Test(arguments: [
        ((0, 9, 24), true), ((0, 9, 31), true), ((0, 9, 69), true), ((0, 9, 70), false), ((0, 9, 90), false),
        ((0, 8, 0), false), ((0, 10, 0), false), ((1, 0, 0), false),
    ])
    func onlyThePagesOfLMDB09AreKnown(version: (Int32, Int32, Int32), areKnown: Bool) {
        let version = LMDBVersion(major: version.0, minor: version.1, patch: version.2)
        #expect(version.hasKnownPages == areKnown, "\(version)")
    }

    @Test func theSwitch() {
        #expect(Prefetch.isOn(value: nil, pagesAreKnown: true))
        #expect(Prefetch.isOn(value: "on", pagesAreKnown: true))
        #expect(!Prefetch.isOn(value: "off", pagesAreKnown: true))
        #expect(!Prefetch.isOn(value: nil, pagesAreKnown: false))
    }
}
