//! The service over a bus in memory, on a paused clock.

use std::sync::Mutex;

use cadre_core::{
    ids::Name,
    model::{ProviderFailureKind, gateway::Word},
    ports::Inbox,
};
use tokio::time::sleep;

use super::*;
use crate::gateway::tests::{Act, Shelf, Told, gateway, request, shelf, usage};

const SOON: Duration = Duration::from_secs(1);
const ONE: &str = "{routes: [{model: first/a}], free: true}";

type Outcome = Result<ModelAnswer, ModelFailure>;
type Row = Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Asked<u64>>>>;

/// What was sent on the bus.
#[derive(Debug, Default)]
struct Sent {
    replies: Vec<(u64, Outcome)>,
    beats: Vec<u64>,
    parts: Vec<Part>,
    words: Vec<Word>,
}

#[derive(Debug, Clone)]
struct Bus {
    sent: Arc<Mutex<Sent>>,
    asks: Row,
}

#[derive(Debug)]
struct Asks(Row);

impl Inbox<Asked<u64>> for Asks {
    async fn next(&mut self) -> Result<Vec<Asked<u64>>, BusError> {
        let asked = self.0.lock().await.recv().await;
        asked.map(|asked| vec![asked]).ok_or_else(|| BusError::Unavailable("closed".to_owned()))
    }
}

#[derive(Debug)]
struct NoWords;

impl Inbox<Word> for NoWords {
    async fn next(&mut self) -> Result<Vec<Word>, BusError> {
        std::future::pending().await
    }
}

impl GatewayBus for Bus {
    type Reply = u64;
    type Asks = Asks;
    type Words = NoWords;

    async fn asks(&self) -> Result<Asks, BusError> {
        Ok(Asks(Arc::clone(&self.asks)))
    }

    async fn reply(&self, to: &u64, outcome: Outcome) {
        self.sent.lock().unwrap().replies.push((*to, outcome));
    }

    async fn working(&self, to: &u64) {
        self.sent.lock().unwrap().beats.push(*to);
    }

    async fn said(&self, part: Part) {
        self.sent.lock().unwrap().parts.push(part);
    }

    async fn words(&self) -> Result<NoWords, BusError> {
        Ok(NoWords)
    }

    async fn tell(&self, word: Word) -> Result<(), BusError> {
        self.sent.lock().unwrap().words.push(word);
        Ok(())
    }
}

struct World {
    bus: Bus,
    asks: mpsc::UnboundedSender<Asked<u64>>,
    service: InferenceService<Bus, Shelf>,
    request: ModelRequest,
    asked: u64,
}

impl World {
    async fn new(told: &Told, options: ServiceOptions) -> Self {
        let shelf = shelf(ONE, "");
        let (asks, received) = mpsc::unbounded_channel();
        let row = Arc::new(tokio::sync::Mutex::new(received));
        let bus = Bus { sent: Arc::default(), asks: row };
        let gateway = gateway(&shelf, &[("first", told)]);
        let service = InferenceService::start(bus.clone(), gateway, options, None).await.unwrap();
        assert!(service.ready(SOON).await);
        Self { bus, asks, service, request: request(&shelf), asked: 0 }
    }

    fn ask(&mut self, change: impl FnOnce(&mut ModelRequest)) -> u64 {
        let mut request = self.request.clone();
        change(&mut request);
        self.asked += 1;
        self.asks.send(Asked { request: Ok(request), reply: self.asked }).unwrap();
        self.asked
    }

    async fn reply(&self, number: u64) -> Outcome {
        for _ in 0..10_000 {
            let found = {
                let sent = self.bus.sent.lock().unwrap();
                sent.replies.iter().find(|(to, _)| *to == number).map(|(_, it)| it.clone())
            };
            if let Some(found) = found {
                return found;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("no reply to {number}")
    }
}

fn slow(seconds: u64) -> Act {
    Act::After(Duration::from_secs(seconds), Box::new(Act::Say("slow", usage(10, 1))))
}

#[tokio::test(start_paused = true)]
async fn questions_are_answered_and_what_is_no_question_is_refused() {
    let told = Told::to(&[slow(5)]);
    let mut world = World::new(&told, ServiceOptions::default()).await;
    let number = world.ask(|_| {});
    let answer = world.reply(number).await.unwrap();
    assert_eq!(answer.said.text, "slow");
    assert!(answer.took >= Duration::from_secs(5));
    assert_eq!(world.bus.sent.lock().unwrap().beats, [1, 1], "it says that it is at work");

    let why = Err("no question".to_owned());
    world.asks.send(Asked { request: why, reply: 99 }).unwrap();
    let refused = world.reply(99).await.unwrap_err().failure;
    assert_eq!(
        (refused.kind, refused.message.as_str()),
        (FailureKind::InvalidInput, "no question")
    );
    let unknown = world.ask(|it| it.revision = "elsewhere".to_owned());
    assert_eq!(world.reply(unknown).await.unwrap_err().failure.kind, FailureKind::Error);
}

#[tokio::test(start_paused = true)]
async fn a_full_gateway_refuses_and_says_when_to_come_again() {
    let told = Told::to(&[slow(5)]);
    let options = ServiceOptions { calls_max: 1, queue_max: 1, ..ServiceOptions::default() };
    let mut world = World::new(&told, options).await;
    let [first, second] =
        ["acme", "other"].map(|tenant| world.ask(|it| it.tenant = Name::new(tenant).unwrap()));
    let third = world.ask(|_| {});
    let refused = world.reply(third).await.unwrap_err().failure;
    assert_eq!((refused.kind, refused.retry_after), (FailureKind::RateLimited, Some(COME_AGAIN)));
    assert!(world.reply(first).await.is_ok() && world.reply(second).await.is_ok());
    let hasty = world.ask(|it| it.time_left = Duration::from_secs(1));
    assert_eq!(world.reply(hasty).await.unwrap_err().failure.kind, FailureKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_one_calls_own() {
    let told = Told::to(&[Act::Panic, Act::Say("well", usage(10, 1))]);
    let mut world = World::new(&told, ServiceOptions::default()).await;
    let number = world.ask(|_| {});
    assert_eq!(world.reply(number).await.unwrap_err().failure.kind, FailureKind::Panic);
    let number = world.ask(|_| {});
    assert_eq!(world.reply(number).await.unwrap().said.text, "well");
    assert_eq!(world.service.inspect(SOON).await.unwrap().calls, 0);
}

#[tokio::test(start_paused = true)]
async fn who_follows_hears_the_parts_and_the_end() {
    let told = Told::to(&[Act::Say("once upon a time", usage(10, 4))]);
    let mut world = World::new(&told, ServiceOptions::default()).await;
    let number = world.ask(|it| it.is_followed = true);
    world.reply(number).await.unwrap();
    let sent = world.bus.sent.lock().unwrap();
    let parts: Vec<_> =
        sent.parts.iter().map(|part| (part.offset, part.text.as_str(), part.is_end)).collect();
    let words = [(0, "once ", false), (5, "upon ", false), (10, "a ", false), (12, "time", false)];
    assert_eq!(parts, [&words[..], &[(16, "", true)]].concat());
    assert!(sent.parts.iter().all(|part| part.key == "key.1"));
}

#[tokio::test(start_paused = true)]
async fn who_stops_ends_what_is_in_flight_and_says_goodbye() {
    let told = Told::to(&[slow(5)]);
    let mut world = World::new(&told, ServiceOptions::default()).await;
    let number = world.ask(|_| {});
    sleep(SOON).await;
    world.service.stop().await;
    assert!(world.reply(number).await.is_ok());
    let sent = world.bus.sent.lock().unwrap();
    assert!(sent.words.len() > 1 && sent.words.last().unwrap().is_leaving);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_told_to_the_others_at_once() {
    let wait = Some(Duration::from_secs(9));
    let told = Told::to(&[
        Act::Fail(ProviderFailureKind::RateLimited, wait),
        Act::Say("then", usage(10, 1)),
    ]);
    let mut world = World::new(&told, ServiceOptions::default()).await;
    sleep(Duration::from_millis(500)).await;
    let number = world.ask(|_| {});
    // Before the next regular word.
    sleep(Duration::from_millis(200)).await;
    let is_told = {
        let sent = world.bus.sent.lock().unwrap();
        let holds = sent.words.iter().flat_map(|word| &word.holds);
        holds.clone().any(|(model, left)| model == "first/a" && *left > SOON)
    };
    assert!(is_told);
    assert_eq!(world.reply(number).await.unwrap().said.text, "then");
}
