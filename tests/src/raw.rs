//! The NATS protocol by hand, for what no client library sends.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::bed::Bed;

/// Publishes a message with this block of headers, as it is; true when a stream has stored it.
///
/// # Panics
/// When the broker does not answer, or hangs up.
pub async fn publish(bed: &Bed, subject: &str, headers: &[u8], body: &[u8]) -> bool {
    let url = bed.server.url();
    let mut socket = TcpStream::connect(url.trim_start_matches("nats://")).await.expect("a socket");
    let whole = headers.len() + body.len();
    let line = format!(
        "CONNECT {{\"headers\":true,\"verbose\":false}}\r\nSUB _INBOX.raw 1\r\n\
         HPUB {subject} _INBOX.raw {} {whole}\r\n",
        headers.len()
    );
    let frame = [line.as_bytes(), headers, body, b"\r\nPING\r\n"].concat();
    socket.write_all(&frame).await.expect("sent");
    let mut heard = String::new();
    // The stream's answer may come behind the answer to our ping.
    while !heard.contains("\"stream\":") && !heard.contains("\"error\":") {
        let mut buffer = [0; 4096];
        let read = socket.read(&mut buffer).await.expect("read");
        heard += &String::from_utf8_lossy(&buffer[..read]);
        assert!(read > 0, "the broker hung up: {heard}");
    }
    !heard.contains("\"error\":")
}
