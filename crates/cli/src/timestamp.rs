//! Asking a timestamp authority (RFC 3161 over HTTP): the one place of the program that uses the
//! network, and only when told to.

use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::bail;
use effigy_mark::keys::Timestamps;

/// How long an authority may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Answers are a few thousand bytes.
const LONGEST_ANSWER: u64 = 1 << 20;

/// Prepares to ask the authority at `url`. Answers are signed, so that plain HTTP is enough.
pub(crate) fn authority(url: &str) -> anyhow::Result<Timestamps> {
    let Some(rest) = url.strip_prefix("http://") else {
        bail!(
            "{url:?} does not begin with http://; authorities sign their answers, https is not needed"
        );
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.is_empty() || !url.is_ascii() || url.bytes().any(|b| b.is_ascii_control() || b == b' ')
    {
        bail!("{url:?} is not an address of a timestamp authority");
    }
    let address = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let (host, path) = (host.to_owned(), format!("/{path}"));
    Ok(Timestamps::new(url, move |request| {
        ask(&address, &host, &path, request)
    }))
}

fn ask(address: &str, host: &str, path: &str, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let found = address.to_socket_addrs()?.next();
    let found = found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such host"))?;
    let mut stream = TcpStream::connect_timeout(&found, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // HTTP/1.0: the answer ends where the connection does.
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/timestamp-query\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        request.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    body(&answer).map(<[u8]>::to_vec)
}

fn body(answer: &[u8]) -> std::io::Result<&[u8]> {
    let refused = |why: String| Error::new(ErrorKind::InvalidData, why);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.ok_or_else(|| refused("the authority did not answer in HTTP".to_owned()))?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head.lines().next().unwrap_or_default();
    if status.split_whitespace().nth(1) == Some("200") {
        Ok(&answer[end + 4..])
    } else {
        Err(refused(format!("the authority answered {status:?}")))
    }
}

#[cfg(test)]
mod tests {
    use effigy_mark::keys::Authority;
    use effigy_mark::{Keys, UtcTime};

    use super::*;

    #[test]
    fn answer_of_an_authority_is_its_body() {
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\n\r\n0\x03abc";
        assert_eq!(body(answer).unwrap(), b"0\x03abc");
        assert!(body(b"HTTP/1.1 503 Busy\r\n\r\nlater").is_err());
        assert!(body(b"220 mail.example.org").is_err());
    }

    #[test]
    fn addresses_that_cannot_be_asked_are_refused() {
        for url in [
            "https://tsa.example.org",
            "ftp://x",
            "http://",
            "http://a b/",
        ] {
            assert!(authority(url).is_err(), "{url}");
        }
        assert!(authority("http://tsa.example.org/tsr").is_ok());
    }

    #[test]
    fn silent_authority_is_an_error() {
        // Nothing listens on a port that was just given back.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        let timestamps = authority(&format!("http://{address}/")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let now = UtcTime::from_unix_secs(1_790_000_000);
        let keys = Keys::create(folder.path(), "Test Studio", now).unwrap();
        let authority = Authority {
            url: &format!("http://{address}/"),
            timestamps: &timestamps,
            roots_pem: None,
        };
        let error = keys.set_time_authority(&authority).unwrap_err().to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }
}
