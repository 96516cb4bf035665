//! A provider on this machine for benchmarks and tests: speaks just enough HTTP, and says what it is told to.
//!
//! Real servers prove the wires; this one proves what happens when a provider does what no server does on
//! request, and costs next to nothing beside what is measured.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cadre_runtime::task::{self, Linked};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Bytes of a request's head, and of its body: nobody here asks for more.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A request as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Such as `/v1/chat/completions`.
    pub path: String,
    /// Header lines as they were.
    pub head: String,
    /// The body; `null` when it is no JSON.
    pub body: Value,
}

/// What the server does with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Answers with this status, these header lines (`name: value`) and this body.
    Http(u16, Vec<String>, String),
    /// Sends these server-sent events.
    Events(Vec<String>),
    /// Promises more than it sends, and hangs up.
    Half,
    /// Hangs up without a word.
    Nothing,
    /// Waits so long before the other reply.
    After(Duration, Box<Self>),
}

impl Reply {
    /// A chat completion of OpenAI's wire that says `text`.
    #[must_use]
    pub fn chat(text: &str, tokens_in: u64, tokens_out: u64) -> Self {
        let body = json!({
            "id": "local", "object": "chat.completion", "created": 0, "model": "local",
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": text}
            }],
            "usage": {
                "prompt_tokens": tokens_in, "completion_tokens": tokens_out,
                "total_tokens": tokens_in + tokens_out
            }
        });
        Self::Http(200, vec!["content-type: application/json".to_owned()], body.to_string())
    }

    /// The same, part by part.
    #[must_use]
    pub fn chat_parts(parts: &[&str], tokens_in: u64, tokens_out: u64) -> Self {
        let chunk = |delta: Value, finish: Value| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            let chunk = json!({
                "id": "local", "object": "chat.completion.chunk", "created": 0, "model": "local",
                "choices": [choice]
            });
            chunk.to_string()
        };
        let mut events: Vec<_> =
            parts.iter().map(|part| chunk(json!({"content": part}), Value::Null)).collect();
        events.push(chunk(json!({}), json!("stop")));
        let total = tokens_in + tokens_out;
        let usage = json!({
            "prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": total
        });
        events.push(json!({"id": "local", "choices": [], "usage": usage}).to_string());
        events.push("[DONE]".to_owned());
        Self::Events(events)
    }

    /// An answer without content, with these header lines.
    #[must_use]
    pub fn status(status: u16, headers: &[&str]) -> Self {
        let headers = headers.iter().map(|line| (*line).to_owned()).collect();
        Self::Http(status, headers, "{}".to_owned())
    }
}

/// The running server; ends when dropped.
pub struct LocalServer {
    address: std::net::SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    _accepting: Linked,
}

impl LocalServer {
    /// Starts it on a free port; `respond` gets the number of the request, from 0, and the request.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(
        respond: impl Fn(usize, &Heard) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, respond) = (Arc::clone(&heard), Arc::new(respond));
        let accepting = Linked::spawn("local provider", async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (kept, respond) = (Arc::clone(&kept), Arc::clone(&respond));
                // A connection that breaks is the client's to notice.
                drop(task::spawn("local connection", async move {
                    let _ = converse(socket, &kept, &*respond).await;
                }));
            }
        });
        Ok(Self { address, heard, _accepting: accepting })
    }

    /// Its address with a path: `/v1/`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn converse(
    socket: TcpStream,
    kept: &Mutex<Vec<Heard>>,
    respond: &(impl Fn(usize, &Heard) -> Reply + Send + Sync),
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut socket = BufReader::new(socket);
    while let Some(heard) = request(&mut socket).await? {
        let number = {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(heard.clone());
            kept.len() - 1
        };
        let mut reply = respond(number, &heard);
        while let Reply::After(wait, then) = reply {
            sleep(wait).await;
            reply = *then;
        }
        let Some(bytes) = bytes(&reply) else { return Ok(()) };
        socket.write_all(&bytes).await?;
        socket.flush().await?;
        if reply == Reply::Half {
            return Ok(());
        }
    }
    Ok(())
}

/// One request; `None` when there is no more.
async fn request(socket: &mut BufReader<TcpStream>) -> io::Result<Option<Heard>> {
    let too_long = || io::Error::other("request is too long");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) if head.is_empty() => return Ok(None),
            Err(error) => return Err(error),
        }
        if head.len() > HEAD_BYTES_MAX {
            return Err(too_long());
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let length: usize = length.unwrap_or_default();
    if length > BODY_BYTES_MAX {
        return Err(too_long());
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await?;
    let path = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Some(Heard { path, head, body }))
}

/// What goes over the wire; `None` hangs up.
fn bytes(reply: &Reply) -> Option<Vec<u8>> {
    let head = |status: u16, headers: &[String], length: usize| {
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        format!("HTTP/1.1 {status} local\r\n{lines}content-length: {length}\r\n\r\n")
    };
    let json = "content-type: application/json".to_owned();
    match reply {
        Reply::Http(status, headers, body) => {
            Some([head(*status, headers, body.len()), body.clone()].concat().into_bytes())
        }
        Reply::Events(events) => {
            let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
            let stream = "content-type: text/event-stream".to_owned();
            Some([head(200, &[stream], body.len()), body].concat().into_bytes())
        }
        Reply::Half => {
            Some([head(200, &[json], 1_000), "{\"choices\":".to_owned()].concat().into())
        }
        Reply::Nothing | Reply::After(..) => None,
    }
}
