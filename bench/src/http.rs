//! HTTP/1.1 as far as a load generator needs it: requests as bytes made once, and the end of an answer found quickly.
//!
//! On two cores every microsecond the generator takes is missing where it measures, so there is no client library here.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The head of an answer: where its body lies in what was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Bytes before the body.
    pub(crate) body_at: usize,
    /// Bytes of head and body together.
    pub(crate) length: usize,
}

/// The bytes of a request on a connection that stays open.
pub(crate) fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let body = if body.is_empty() {
        "\r\n".to_owned()
    } else {
        format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{authorization}{body}").into_bytes()
}

/// The head of the answer in `received`, once all of the head is there.
///
/// # Errors
/// When this is no HTTP, or the answer does not say how long it is.
pub(crate) fn head(received: &[u8]) -> std::io::Result<Option<Head>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let bad = |what: &str| Error::new(ErrorKind::InvalidData, format!("an answer without {what}"));
    let text = std::str::from_utf8(&received[..end]).map_err(|_| bad("a readable head"))?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12)?.parse().ok()).ok_or_else(|| bad("a status"))?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let body = length.ok_or_else(|| bad("a content-length"))?;
    Ok(Some(Head { status, body_at: end + 4, length: end + 4 + body }))
}

/// A blocking connection that stays open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects to a port of this machine.
    ///
    /// # Errors
    /// When nothing listens there.
    pub(crate) fn open(port: u16) -> std::io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, received: Vec::with_capacity(8192) })
    }

    /// Sends a request of [`request`] and waits for the whole answer: its status and body.
    ///
    /// # Errors
    /// When the connection breaks or the answer can't be read.
    pub(crate) fn call(&mut self, request: &[u8]) -> std::io::Result<(u16, &[u8])> {
        self.received.clear();
        self.stream.write_all(request)?;
        let mut chunk = [0; 8192];
        loop {
            let n = self.stream.read(&mut chunk)?;
            if n == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.received.extend_from_slice(&chunk[..n]);
            if let Some(head) = head(&self.received)?.filter(|head| self.received.len() >= head.length) {
                return Ok((head.status, &self.received[head.body_at..head.length]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_head_says() {
        let whole = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";
        let found = head(whole).unwrap().unwrap();
        assert_eq!((found.status, &whole[found.body_at..], found.length), (202, &b"{}"[..], whole.len()));
        assert_eq!(head(&whole[..30]).unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn a_request_carries_its_body_and_its_token() {
        let text = String::from_utf8(request("POST", "/training", "t", "{}")).unwrap();
        assert!(text.starts_with("POST /training HTTP/1.1\r\n") && text.ends_with("content-length: 2\r\n\r\n{}"));
        assert!(text.contains("authorization: Bearer t\r\n"));
    }
}
