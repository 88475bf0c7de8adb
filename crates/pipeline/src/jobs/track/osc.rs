//! Messages of Open Sound Control 1.0 (Wright, CNMAT 2002), as far as they are sent here.

/// An argument of a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arg<'a> {
    Int(i32),
    Float(f32),
    Text(&'a str),
}

/// One message: address, types of the arguments, arguments.
pub(super) fn message(address: &str, args: &[Arg<'_>]) -> Vec<u8> {
    let mut bytes = padded(address);
    let kind = |arg: &Arg<'_>| match arg {
        Arg::Int(_) => 'i',
        Arg::Float(_) => 'f',
        Arg::Text(_) => 's',
    };
    let types: String = std::iter::once(',').chain(args.iter().map(kind)).collect();
    bytes.extend(padded(&types));
    for arg in args {
        match arg {
            Arg::Int(value) => bytes.extend(value.to_be_bytes()),
            Arg::Float(value) => bytes.extend(value.to_be_bytes()),
            Arg::Text(text) => bytes.extend(padded(text)),
        }
    }
    bytes
}

/// Messages that belong together, to be acted on at once.
pub(super) fn bundle(messages: &[Vec<u8>]) -> Vec<u8> {
    const AT_ONCE: u64 = 1;
    let mut bytes = padded("#bundle");
    bytes.extend(AT_ONCE.to_be_bytes());
    for message in messages {
        bytes.extend((message.len() as u32).to_be_bytes());
        bytes.extend(message);
    }
    bytes
}

/// A text with a zero behind it, and more up to a multiple of four bytes.
fn padded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize((bytes.len() + 4) / 4 * 4, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_those_of_the_specification() {
        // The examples of the specification's appendix.
        assert_eq!(
            message("/oscillator/4/frequency", &[Arg::Float(440.0)]),
            b"/oscillator/4/frequency\0,f\0\0\x43\xdc\0\0"
        );
        assert_eq!(
            message("/foo", &[Arg::Int(1000), Arg::Int(-1), Arg::Text("hello")]),
            b"/foo\0\0\0\0,iis\0\0\0\0\0\0\x03\xe8\xff\xff\xff\xffhello\0\0\0"
        );
    }

    #[test]
    fn bundles_say_how_long_each_message_is() {
        let one = message("/a", &[]);
        let bytes = bundle(&[one.clone(), one]);
        assert_eq!(&bytes[..16], b"#bundle\0\0\0\0\0\0\0\0\x01");
        assert_eq!(bytes.len(), 16 + 2 * (4 + 8));
    }
}
