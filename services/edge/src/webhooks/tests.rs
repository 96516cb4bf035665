use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use cadre_core::{
    ids::{Name, TaskId},
    limits::WEBHOOK_TRIES_MAX,
    ports::{BusError, Inbox},
    time::UnixMillis,
    webhook::{
        Message, News, Outcome, Secret, Settled, State as How, Webhook,
        port::{End, Register, WebhookBus},
    },
};
use cadre_runtime::task::Linked;
use tokio::{sync::Notify, time::timeout};

use super::*;

/// Only a failure is ever that slow.
const PATIENCE: Duration = Duration::from_secs(60);

type Heard = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// Answers as the path says, and keeps what it heard.
async fn receive(
    State(heard): State<Heard>,
    Path(how): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    heard.lock().unwrap().push((headers, body));
    match how.as_str() {
        "ok" => StatusCode::NO_CONTENT.into_response(),
        "busy" => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "90")]).into_response(),
        "gone" => StatusCode::GONE.into_response(),
        "elsewhere" => (StatusCode::FOUND, [("location", "/ok")]).into_response(),
        _ => {
            let part =
                || std::future::ready(Some((Ok::<_, std::io::Error>("x".repeat(8_192)), ())));
            Body::from_stream(futures::stream::unfold((), move |()| part())).into_response()
        }
    }
}

async fn receiver() -> (String, Heard) {
    let heard = Heard::default();
    let app = Router::new().route("/{how}", post(receive)).with_state(Arc::clone(&heard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, heard)
}

fn webhook(url: &str) -> Webhook {
    Webhook {
        id: Webhook::id_of(7),
        tenant: Name::new("acme").unwrap(),
        workflow: None,
        url: url.to_owned(),
        secret: Secret::new([7; 32]),
        former: None,
        by: "ann".to_owned(),
        created_at: UnixMillis(5),
    }
}

fn message() -> Message {
    Message { id: "end_x".to_owned(), body: "{\"type\":\"task.ended\"}".to_owned() }
}

const NOW: UnixMillis = UnixMillis(1_700_000_000_900);

#[tokio::test]
async fn a_message_is_signed_and_only_success_is_success() {
    let (url, heard) = receiver().await;
    let sender = Sender::new(Reach::Any).unwrap();
    let send =
        async |how: &str| sender.send(&webhook(&format!("{url}/{how}")), &message(), NOW).await;
    let sent = send("ok").await;
    assert_eq!((sent.outcome, sent.status), (Outcome::Delivered, Some(204)));
    let (headers, body) = heard.lock().unwrap().remove(0);
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!((header("webhook-id").as_str(), body.as_str()), ("end_x", message().body.as_str()));
    assert_eq!(header("webhook-timestamp"), "1700000000");
    let expected = webhook("").sign(&message(), NOW);
    assert_eq!(header("webhook-signature"), expected);
    let failed = |error: &str, again: Option<u64>, is_gone: bool| Outcome::Failed {
        error: error.to_owned(),
        again: again.map(Duration::from_secs),
        is_gone,
    };
    assert_eq!(send("busy").await.outcome, failed("it answered 503", Some(90), false));
    assert_eq!(send("gone").await.outcome, failed("it answered 410", None, true));
    let elsewhere = failed("it answered 302: redirects are not followed", None, false);
    assert_eq!(send("elsewhere").await.outcome, elsewhere);
    assert_eq!(heard.lock().unwrap().len(), 3, "the place that it was sent on to heard nothing");
    assert_eq!(
        send("endless").await.outcome,
        Outcome::Delivered,
        "what it says is not read to its end"
    );
}

#[tokio::test]
async fn what_must_not_be_reached_is_not_and_errors_keep_addresses_to_themselves() {
    let (url, heard) = receiver().await;
    let port = url.rsplit_once(':').unwrap().1.to_owned();
    let sender = Sender::new(Reach::Public).unwrap();
    for (address, expected) in [
        (format!("{url}/ok"), "must begin with https://"),
        (format!("https://127.0.0.1:{port}/ok?key=hidden"), "127.0.0.1 is no public address"),
        (format!("https://[::1]:{port}/ok?key=hidden"), "[::1] is no public address"),
        // Names are looked up, and what they lead to is checked.
        (format!("https://localhost:{port}/ok?key=hidden"), "localhost is no public address"),
    ] {
        let Outcome::Failed { error, .. } =
            sender.send(&webhook(&address), &message(), NOW).await.outcome
        else {
            panic!("{address} was reached")
        };
        assert!(error.contains(expected) && !error.contains("hidden"), "{address}: {error}");
    }
    assert!(heard.lock().unwrap().is_empty());
    let nobody = Sender::new(Reach::Any).unwrap();
    let sent = nobody.send(&webhook("http://127.0.0.1:1/?key=hidden"), &message(), NOW).await;
    let Outcome::Failed { error, .. } = sent.outcome else { panic!("nobody is there") };
    assert!(!error.contains("hidden") && sent.status.is_none(), "{error}");
}

/// A bus with one webhook: ends come once, with their tries.
#[derive(Clone)]
struct FakeBus(Arc<Mutex<World>>, Arc<Notify>);

struct World {
    webhook: Webhook,
    ends: VecDeque<(TaskId, u32)>,
    state: How,
    settled: Vec<(TaskId, Settled)>,
    is_full: bool,
}

impl Inbox<End<TaskId>> for FakeBus {
    async fn next(&mut self) -> Result<Vec<End<TaskId>>, BusError> {
        let next = self.0.lock().unwrap().ends.pop_front();
        let Some((task, tries)) = next else {
            // As a bus on which nothing happens any more.
            return std::future::pending().await;
        };
        let (workflow, answer) = (Name::new("order").unwrap(), b"{}".to_vec());
        Ok(vec![End { receipt: task.clone(), task, workflow, at: NOW, tries, answer }])
    }
}

impl WebhookBus for FakeBus {
    type Receipt = TaskId;
    type Ends = Self;

    fn now(&self) -> UnixMillis {
        NOW
    }

    async fn register(&self, known: u64) -> Result<Option<Register>, BusError> {
        let world = self.0.lock().unwrap();
        let webhooks = vec![(world.webhook.clone(), world.state.clone())];
        Ok((known == 0).then_some(Register { revision: 1, webhooks }))
    }

    async fn ends(&self, _: &Webhook) -> Result<Self, BusError> {
        Ok(self.clone())
    }

    async fn note(&self, _: &Webhook, news: &News) -> Result<(), BusError> {
        let mut world = self.0.lock().unwrap();
        if world.is_full {
            return Err(BusError::Refused("it is full".to_owned()));
        }
        world.state = std::mem::take(&mut world.state).with(news);
        Ok(())
    }

    async fn settle(&self, receipt: TaskId, settled: Settled) {
        self.0.lock().unwrap().settled.push((receipt, settled));
        self.1.notify_one();
    }
}

/// What became of ends that a receiver answers so.
async fn carried(url: &str, tries: &[u32], is_full: bool) -> (Vec<Settled>, How) {
    let task = |number: usize| TaskId::derive(&Name::new("acme").unwrap(), &number.to_string());
    let ends = tries.iter().enumerate().map(|(number, tries)| (task(number), *tries)).collect();
    let (state, settled) = (How::default(), Vec::new());
    let world = World { webhook: webhook(url), ends, state, settled, is_full };
    let bus = FakeBus(Arc::new(Mutex::new(world)), Arc::default());
    let (carrying, sender) = (bus.clone(), Sender::new(Reach::Any).unwrap());
    let _courier = Linked::spawn("courier", async move { drop(carry(carrying, sender).await) });
    let settled = || {
        let world = bus.0.lock().unwrap();
        let settled: Vec<_> = world.settled.iter().map(|(_, settled)| *settled).collect();
        (settled.len() == tries.len()).then(|| (settled, world.state.clone()))
    };
    loop {
        if let Some(settled) = settled() {
            return settled;
        }
        timeout(PATIENCE, bus.1.notified()).await.expect("settled in time");
    }
}

#[tokio::test]
async fn an_end_is_let_go_of_when_it_was_taken_or_its_loss_is_noted() {
    let (url, heard) = receiver().await;
    let (settled, state) = carried(&format!("{url}/ok"), &[1, 4], false).await;
    assert_eq!((settled, state.as_str()), (vec![Settled::Done; 2], "ok"));
    let ids: Vec<_> =
        heard.lock().unwrap().iter().map(|(headers, _)| headers["webhook-id"].clone()).collect();
    assert_ne!(ids[0], ids[1]);
    let busy = format!("{url}/busy");
    let (settled, state) = carried(&busy, &[1, WEBHOOK_TRIES_MAX], false).await;
    assert_eq!(settled, [Settled::Later(Duration::from_secs(90)), Settled::Done]);
    assert_eq!((state.as_str(), state.given_up), ("failing", 1));
    let (settled, state) = carried(&busy, &[WEBHOOK_TRIES_MAX], true).await;
    assert!(matches!(settled[..], [Settled::Later(_)]), "nobody would know: {settled:?}");
    assert_eq!(state, How::default());
}
