import Bytes

extension EnvelopeScanner {
    /// kcat's flat list of names and values, or its object of lists. A value that is not text is `{"base64":"..."}`.
    func headers(_ here: inout Position) throws(EnvelopeError) {
        switch here.pointee {
        case UInt8(ascii: "["):
            try list(&here) { (here) throws(EnvelopeError) in
                guard here.pointee == UInt8(ascii: "\"") else {
                    throw problem(here, "a header's name must be a string, found \(character(here))")
                }
                let name = try string(&here)
                here = skipSpace(here)
                guard here.pointee == UInt8(ascii: ",") else {
                    throw problem(here, "'headers' lists names and values by turns, but here a value is missing")
                }
                here = skipSpace(here + 1)
                add(name, try headerValue(&here))
            }
        case UInt8(ascii: "{"):
            here = skipSpace(here + 1)
            if here.pointee == UInt8(ascii: "}") {
                here += 1
                return
            }
            while true {
                guard here.pointee == UInt8(ascii: "\"") else {
                    throw problem(here, "a header's name must be a string, found \(character(here))")
                }
                let name = try string(&here)
                here = skipSpace(here)
                guard here.pointee == UInt8(ascii: ":") else {
                    throw problem(here, "expected ':' after a header's name, found \(character(here))")
                }
                here = skipSpace(here + 1)
                guard here.pointee == UInt8(ascii: "[") else {
                    throw problem(here, "expected a list of a header's values, found \(character(here))")
                }
                try list(&here) { (here) throws(EnvelopeError) in add(name, try headerValue(&here)) }
                here = skipSpace(here)
                if here.pointee == UInt8(ascii: "}") { break }
                guard here.pointee == UInt8(ascii: ",") else {
                    throw problem(here, "expected ',' or '}' after a header, found \(character(here))")
                }
                here = skipSpace(here + 1)
            }
            here += 1
        default:
            if try isNull(&here) { return }
            throw problem(here, "'headers' must be a list, found \(character(here))")
        }
    }

    private func headerValue(_ here: inout Position) throws(EnvelopeError) -> Bytes? {
        if here.pointee == UInt8(ascii: "\"") { return try string(&here) }
        if try isNull(&here) { return nil }
        let start = here
        if here.pointee == UInt8(ascii: "{") {
            here = skipSpace(here + 1)
            if here.pointee == UInt8(ascii: "\""), try string(&here).equals("base64") {
                here = skipSpace(here)
                if here.pointee == UInt8(ascii: ":") {
                    here = skipSpace(here + 1)
                    let value = try base64(&here, field: "base64")
                    here = skipSpace(here)
                    if here.pointee == UInt8(ascii: "}") {
                        here += 1
                        return value
                    }
                }
            }
        }
        throw problem(here < lineEnd ? start : here, "a header's value must be a string, null, or {\"base64\":\"...\"}")
    }
}
