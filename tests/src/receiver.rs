//! Somebody who is told of ends over HTTP: hears every request, and answers each with one status.

use std::{
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, Mutex},
};

use cadre_runtime::task::Linked;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::watch,
    time::timeout,
};

use crate::bed::PATIENCE;

/// What was heard once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Where it was sent.
    pub path: String,
    /// Headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Heard {
    /// The first header of this name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("{name}: {self:?}"))
    }

    /// Whether its signature is that of Standard Webhooks with this secret, as Python's own library says.
    ///
    /// # Panics
    /// When there is no Python.
    pub async fn is_signed_with(&self, secret: &str) -> bool {
        const CHECK: &str = "import base64, hashlib, hmac, sys\n\
            secret, id, time, given, body = sys.argv[1:]\n\
            key = base64.b64decode(secret.removeprefix('whsec_'))\n\
            own = hmac.new(key, f'{id}.{time}.{body}'.encode(), hashlib.sha256).digest()\n\
            # While a secret is changed there is a signature of each.\n\
            sys.exit(0 if 'v1,' + base64.b64encode(own).decode() in given.split(' ') else 1)";
        let mut python = Command::new("python3");
        python.args(["-c", CHECK, secret]);
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        python.args(names.map(|name| self.header(name))).arg(&self.body).stdin(Stdio::null());
        python.status().await.expect("python3 runs").success()
    }
}

/// Somebody who listens; silent when dropped.
pub struct Receiver {
    address: SocketAddr,
    heard: watch::Receiver<Vec<Heard>>,
    _listening: Linked,
}

impl Receiver {
    /// Listens at `address`, where port 0 is any free one.
    ///
    /// # Panics
    /// When it cannot be had.
    pub async fn at(address: SocketAddr, status: u16) -> Self {
        let listener = TcpListener::bind(address).await.expect("an address");
        let address = listener.local_addr().expect("bound");
        let (sender, heard) = watch::channel(Vec::new());
        let sender = Arc::new(Mutex::new(sender));
        let listening = Linked::spawn("receiver", async move {
            while let Ok((socket, _)) = listener.accept().await {
                let sender = Arc::clone(&sender);
                // One at a time: whoever speaks closes.
                if let Some(one) = hear(socket, status).await {
                    sender.lock().expect("whole").send_modify(|heard| heard.push(one));
                }
            }
        });
        Self { address, heard, _listening: listening }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has heard.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.borrow().clone()
    }

    /// Waits until it has heard `count` times.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn hears(&mut self, count: usize) -> Vec<Heard> {
        let enough = self.heard.wait_for(|heard| heard.len() >= count);
        timeout(PATIENCE, enough).await.expect("in time").expect("it listens").clone()
    }
}

async fn hear(mut socket: TcpStream, status: u16) -> Option<Heard> {
    let mut bytes = Vec::new();
    let (head, rest) = loop {
        let text = String::from_utf8(bytes.clone()).ok()?;
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            break (head.to_owned(), rest.to_owned());
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<_> = lines.filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length?.1.parse().ok()?;
    let mut body = rest.into_bytes();
    while body.len() < length {
        socket.read_buf(&mut body).await.ok()?;
    }
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    socket.write_all(answer.as_bytes()).await.ok()?;
    Some(Heard { path, headers, body: String::from_utf8(body).ok()? })
}
