//! A gate on a client's way to its broker: everything passes, but the acknowledgements of one stream while it is
//! shut. What was stored meanwhile its publisher does not know of, as behind a broken cable.
//!
//! ```text
//!   client ──────────────────────────────────────► broker
//!   client ◄── all else ── [ gate ] ◄───────────── broker
//!                             └─ acks of the stream: held back, and lost when the cable is cut
//! ```

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What the gate does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Everything passes.
    Open,
    /// Acknowledgements are held back.
    Shut,
    /// Connections from before are dead, everything passes on new ones.
    Cut,
}

/// A broker's second address.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    state: watch::Sender<State>,
}

impl Gate {
    /// Opens an address in front of the broker at `url` that can hold back what `stream` acknowledges.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn before(url: &str, stream: &str) -> Self {
        let broker = url.trim_start_matches("nats://").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (state, seen) = watch::channel(State::Open);
        let mark = format!("{{\"stream\":\"{stream}\"");
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(broker) = TcpStream::connect(&broker).await else { continue };
                tokio::spawn(pass(client, broker, (mark.clone(), seen.clone())));
            }
        });
        Self { address, state }
    }

    /// Where clients find the broker.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Holds acknowledgements back from now on.
    pub fn shut(&self) {
        self.state.send_replace(State::Shut);
    }

    /// Breaks every connection, with what was held back, and lets everything pass on new ones.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }
}

/// Passes a connection's bytes on until one side closes it, or it is cut.
async fn pass(
    client: TcpStream,
    broker: TcpStream,
    (mark, state): (String, watch::Receiver<State>),
) {
    let was_cut = *state.borrow() == State::Cut;
    let (mut from_client, mut to_client) = client.into_split();
    let (from_broker, mut to_broker) = broker.into_split();
    let back = async {
        let mut from_broker = BufReader::new(from_broker);
        while let Ok(Some((frame, body))) = frame(&mut from_broker).await {
            let is_shut = *state.borrow() == State::Shut;
            let is_ack = body.starts_with(mark.as_bytes());
            if is_shut && is_ack {
                continue;
            }
            if to_client.write_all(&[&frame[..], &body].concat()).await.is_err() {
                return;
            }
        }
    };
    let mut cut = state.clone();
    tokio::select! {
        () = back => {}
        _ = copy(&mut from_client, &mut to_broker) => {}
        _ = cut.wait_for(|state| *state == State::Cut), if !was_cut => {}
    }
}

/// The next line of the protocol with its message, if it is one: the line and its headers, and the body.
async fn frame(
    from: &mut BufReader<impl AsyncRead + Unpin>,
) -> std::io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&line);
    let words: Vec<_> = text.split_whitespace().collect();
    let size = |back: usize| words.iter().rev().nth(back).and_then(|word| word.parse().ok());
    let (head, all): (usize, usize) = match words.first() {
        Some(&"MSG") => (0, size(0).unwrap_or_default() + 2),
        Some(&"HMSG") => (size(1).unwrap_or_default(), size(0).unwrap_or_default() + 2),
        Some(_) | None => (0, 0),
    };
    let mut rest = vec![0; all];
    from.read_exact(&mut rest).await?;
    let body = rest.split_off(head);
    line.extend(rest);
    Ok(Some((line, body)))
}
