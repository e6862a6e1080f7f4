import Testing

@testable import Commands

@Suite struct SettingsOptionsTests {
    @Test(arguments: SettingKey.allCases.filter { $0.definition.flag != nil })
    func theTablesFlagsAreTheCommandLines(key: SettingKey) throws {
        let flag = try #require(key.definition.flag)
        let options = try SettingsOptions.parse([flag, "something"])
        #expect(options.flags.values == [key: "something"])
    }

    @Test func everyFlagStandsInTheTable() throws {
        let all = try SettingsOptions.parse(
            SettingKey.allCases.compactMap(\.definition.flag).flatMap { [$0, "x"] }
                + ["--config", "file", "--kafka", "a=b", "--kafka", "-c=-d"])
        #expect(all.flags.values.count == SettingKey.allCases.compactMap(\.definition.flag).count)
        #expect(all.flags.configFile == "file")
        #expect(all.flags.kafka == ["a=b", "-c=-d"])
    }
}
