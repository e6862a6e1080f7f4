import KafkaClient
import Worker

extension SettingsReport {
    /// With the values and properties that the worker derives from the settings.
    init(of settings: Settings) {
        let properties = ClientProperties(
            configuration: settings.workerConfiguration, identity: "identity", lane: 0)
        var chosen: [WorkerProperty] = []
        let clients = [
            ("group consumer", properties.groupConsumer), ("table follower", properties.follower),
            ("producer", properties.producer),
        ]
        let hidden = Set(OwnedProperty.names + ["client.id"])
        for (client, all) in clients {
            for name in all.names where !hidden.contains(name) && settings.kafkaProperties[name] == nil {
                guard let value = all[name] else { continue }
                if let index = chosen.firstIndex(where: { $0.name == name && $0.value == value }) {
                    chosen[index].client += " and \(client)"
                } else {
                    chosen.append(WorkerProperty(name: name, value: value, client: client))
                }
            }
        }
        self.init(
            settings: settings,
            workedOut: [.maxRecordBytes: String(properties.defaultMaxRecordBytes)],
            workerProperties: chosen.sorted { ($0.name, $0.client) < ($1.name, $1.client) })
    }
}
