/// The texts of generated records.
enum SampleText {
    /// Openings of texts: some plain, some with characters that test a JSON reader.
    static let openings: [StaticString] = [
        "Since last week ", "My neighbour says that ", "A short one: ", "Please help, ",
        #"He told me \"wait and see\", but "#, "Fran\u{E7}ois asked: ", #"First things first.\n\n"#,
        "Za\u{17C}\u{F3}\u{142}\u{107}: ",
    ]

    /// One long text that can be cut anywhere: plain ASCII without characters to escape.
    static let prose: StaticString = """
        the kettle trips the breaker each time it boils, and only when the oven is on as well. I have tried another \
        socket on the same wall with the same result; a lamp in that socket works fine. My pulse at rest has gone down \
        to the high forties since I started to run three times a week, and the watch now warns me every night. Should \
        I see somebody about it, or is that what training does? The tomatoes on the balcony get brown spots at the \
        lower end although they are watered each evening. The leaves look healthy, the pot is large, and the soil is \
        new this year. Our landlord wants to raise the rent by a tenth from next month on. The contract says nothing \
        about it, and the last rise was fourteen months ago. What can we answer, and how long do we have? The dough \
        does not rise in the fridge any more; it used to double over night with the same flour and the same starter. \
        Could the new fridge be too cold for it? After the second dose my arm was stiff for two days and then all was \
        well again; is the third one worse? The chain of my bicycle jumps on the two smallest sprockets, but only \
        under load and never on the stand. The shop replaced the cable in spring. The roof drips at one place when the \
        wind comes from the west, never in a calm rain, however heavy. Where would you begin to look? The cat has \
        begun to drink from the tap only and leaves her bowl alone, which she had used for nine years. Apart from that \
        she eats and plays as always. The battery of the old telephone swells a little when it is charged over night, \
        and the glass has come up at one corner. Is it safe to have it opened in a shop? I twisted my knee on the \
        stairs on Friday; it is not swollen, but it gives way when I turn to the left with my weight on it. How long \
        would you wait before having it looked at? 
        """

    static let titles: [StaticString] = [
        "Is it safe to go on like this?", "Low pulse at rest since I run", "Kettle trips the breaker",
        "Brown spots on the tomatoes", "How much notice for a higher rent?", "Dough no longer rises in the fridge",
        "Chain jumps under load", "Roof leaks only in a west wind", "Cat drinks from the tap only",
        "Knee gives way when I turn", "Swollen phone battery", "Stiff arm after the second dose",
    ]

    static let answerTitles: [StaticString] = [
        "Most likely harmless", "Have it looked at soon", "Check the simple things first", "It depends on the age",
        "I would not wait", "Seen this twice before", "Two causes come to mind", "Quite usual at first",
    ]

    static let names: [StaticString] = [
        "Adaeze Okafor", "Per Lindqvist", "Maria Conti", "J\u{E9}r\u{F4}me Petit", "Hanna Weiss", "Tom\u{E1}s Rivera",
        "Keiko Mori", "Olena Bondar", "Samuel Osei", "Ruth Abrams", "Anil Rao", "Grace Lim",
    ]

    static let professions: [StaticString] = [
        "Doctor", "Pharmacist", "Electrician", "Gardener", "Lawyer", "Baker", "Mechanic", "Roofer",
    ]

    static let specialties: [StaticString] = [
        "Cardiology", "Sports medicine", "House wiring", "Vegetables", "Tenancy", "Sourdough", "Bicycles", "Slate",
    ]

    static let places: [StaticString] = [
        "Leeds, United Kingdom", "Gothenburg, Sweden", "Turin, Italy", "Lyon, France", "Graz, Austria",
        "Valencia, Spain",
        "Sapporo, Japan", "Lviv, Ukraine",
    ]

    static let tags: [StaticString] = [
        "home", "health", "garden", "law", "kitchen", "bicycle", "pets", "electricity", "training", "money",
    ]
}
