import Commands

/// The program `rejoinder`: the command line of ``Commands/Rejoinder``.
@main
enum Program {
    static func main() async { await Rejoinder.main() }
}
