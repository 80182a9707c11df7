//! A minimal HTTP/1.1 client for the load generator: prepared requests and a fast parser.
//!
//! The generator shares the cores with the system under test, so its CPU time must be low.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The head of a response, with the position of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Number of bytes before the body.
    pub(crate) body_at: usize,
    /// Number of bytes of head and body.
    pub(crate) length: usize,
}

/// The bytes of a keep-alive request with a JSON body, or without a body.
pub(crate) fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    request_of(method, path, token, "application/json", body)
}

/// The bytes of a keep-alive request. An empty body is not sent.
pub(crate) fn request_of(method: &str, path: &str, token: &str, media_type: &str, body: &str) -> Vec<u8> {
    request_with(method, path, token, &format!("content-type: {media_type}\r\n"), body.as_bytes())
}

/// The bytes of a keep-alive request. An empty body is not sent. `headers` describe the body, one per line.
pub(crate) fn request_with(method: &str, path: &str, token: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{authorization}").into_bytes();
    if !body.is_empty() {
        request.extend_from_slice(format!("{headers}content-length: {}\r\n", body.len()).as_bytes());
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
    request
}

/// Parses the head of a response; `None` if it is incomplete.
///
/// # Errors
/// If the response is invalid or has no content-length.
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

/// A blocking keep-alive connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects to a port of this machine.
    ///
    /// # Errors
    /// If nothing listens on the port.
    pub(crate) fn open(port: u16) -> std::io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, received: Vec::with_capacity(8192) })
    }

    /// Sends a request of [`request`] and returns status and body of the response.
    ///
    /// # Errors
    /// If the connection fails or the response is invalid.
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
    fn the_head_determines_the_length_of_a_response() {
        let response = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";
        let found = head(response).unwrap().unwrap();
        assert_eq!((found.status, &response[found.body_at..], found.length), (202, &b"{}"[..], response.len()));
        assert_eq!(head(&response[..30]).unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn a_request_carries_its_body_and_its_token() {
        let text = String::from_utf8(request("POST", "/training", "t", "{}")).unwrap();
        assert!(text.starts_with("POST /training HTTP/1.1\r\n") && text.ends_with("content-length: 2\r\n\r\n{}"));
        assert!(text.contains("authorization: Bearer t\r\n"));
    }
}
