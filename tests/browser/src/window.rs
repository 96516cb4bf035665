//! One person's window: goes to pages, clicks and types as a person does, and waits for what it wants to see.
//!
//! Nothing sleeps: a wait is a promise inside the page, which looks again until its condition holds or its time
//! is over. Whatever the page complains about (scripts that fail, things that the content policy forbids) is kept.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use cadre_tests::bed::PATIENCE;
use chromiumoxide::{
    Page,
    cdp::{
        browser_protocol::{
            emulation::{MediaFeature, SetDeviceMetricsOverrideParams},
            input::{DispatchKeyEventParams, DispatchKeyEventType, InsertTextParams},
            log::{EventEntryAdded, LogEntryLevel},
        },
        js_protocol::runtime::{EvaluateParams, EventExceptionThrown},
    },
    keys::get_key_definition,
    layout::Point,
    page::ScreenshotParams,
};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// Visible elements of a selector that contain a text.
const SEEN: &str = "const seen = (selector, text) => [...document.querySelectorAll(selector)]
    .filter(it => it.checkVisibility({visibilityProperty: true}) && it.textContent.includes(text));";

/// Pause before a page that was just left is asked again, as the next one.
const LEFT_PAUSE: Duration = Duration::from_millis(40);

/// The window.
#[derive(Debug)]
pub struct Window {
    page: Page,
    url: String,
    complaints: Arc<Mutex<Vec<String>>>,
}

impl Window {
    /// A window over a page that is open already; addresses are below `url`.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn over(page: Page, url: &str) -> Self {
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let mut thrown = page.event_listener::<EventExceptionThrown>().await.expect("a listener");
        let mut logged = page.event_listener::<EventEntryAdded>().await.expect("a listener");
        page.enable_log().await.expect("a log");
        let kept = Arc::clone(&complaints);
        tokio::spawn(async move {
            loop {
                let said = tokio::select! {
                    Some(event) = thrown.next() => format!("{:?}", event.exception_details),
                    Some(event) = logged.next() => match event.entry.level {
                        LogEntryLevel::Error => format!("{} ({:?})", event.entry.text, event.entry.url),
                        LogEntryLevel::Warning | LogEntryLevel::Info | LogEntryLevel::Verbose => continue,
                    },
                    else => return,
                };
                kept.lock().expect("nobody panicked").push(said);
            }
        });
        let window = Self { page, url: url.to_owned(), complaints };
        window.resize(1440, 900).await;
        window
    }

    /// Takes what the page has complained about so far.
    ///
    /// # Panics
    /// When somebody panicked with it in hand.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        std::mem::take(&mut *self.complaints.lock().expect("nobody panicked"))
    }

    /// Runs a script on each page before its own.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn on_each_page(&self, script: &str) {
        self.page.evaluate_on_new_document(script).await.expect("it is kept");
    }

    /// Goes to an address and waits until it is there and, where it is a live page, connected.
    ///
    /// # Panics
    /// When it does not come in time.
    pub async fn go(&self, path: &str) {
        let there = self.page.goto(format!("{}{path}", self.url)).await;
        there.unwrap_or_else(|error| panic!("{path}: {error}"));
        self.arrive("true").await;
    }

    /// Waits for a page that a click or a key leads to: that `here` holds, its scripts listen and, where it is a live
    /// page, that it is connected. A key pressed earlier is heard by nobody.
    ///
    /// # Panics
    /// When it does not come in time.
    pub async fn arrive(&self, here: &str) {
        self.until(&format!(
            "({here}) && document.readyState === 'complete' && document.fonts.status === 'loaded' &&
            (!document.querySelector('[data-live]') || document.querySelector('.live[data-state=live]'))"
        ))
        .await;
    }

    /// Signs in on the page that asks for it.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn sign_in(&self, token: &str) {
        self.go("/login").await;
        self.fill("#token", token).await;
        self.click("button", "Sign in").await;
        self.see("h1", "Overview").await;
    }

    /// The width and height of what is seen.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn resize(&self, width: i64, height: i64) {
        let size = SetDeviceMetricsOverrideParams::new(width, height, 1.0, width < 500);
        self.page.execute(size).await.expect("a size");
    }

    /// Prefers `dark` or `light`, and no motion.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn prefer(&self, scheme: &str) {
        let feature = |name: &str, value: &str| MediaFeature::new(name, value);
        let features = vec![
            feature("prefers-color-scheme", scheme),
            feature("prefers-reduced-motion", "reduce"),
        ];
        self.page.emulate_media_features(features).await.expect("a scheme");
    }

    /// What an expression comes to in the page; promises are waited for.
    ///
    /// # Panics
    /// When it throws.
    pub async fn run(&self, expression: &str) -> Value {
        self.evaluate(expression).await.unwrap_or_else(|error| panic!("{expression:.200}: {error}"))
    }

    async fn evaluate(&self, expression: &str) -> Result<Value, String> {
        let params = EvaluateParams::builder().expression(expression).await_promise(true);
        let params = params.return_by_value(true).build()?;
        let done = self.page.execute(params).await.map_err(|error| error.to_string())?.result;
        match done.exception_details {
            Some(thrown) => Err(format!("{thrown:?}")),
            None => Ok(done.result.value.unwrap_or_default()),
        }
    }

    /// Waits until a condition holds in the page, on whichever page it is then.
    ///
    /// # Panics
    /// When it does not in time, with what the page shows instead.
    pub async fn until(&self, condition: &str) {
        let last = Instant::now() + PATIENCE;
        while Instant::now() < last {
            let left = last.saturating_duration_since(Instant::now()).as_millis();
            let look = format!(
                "new Promise(done => {{ {SEEN} const last = performance.now() + {left}; const look = () => {{
                    let holds = false; try {{ holds = !!({condition}); }} catch {{ }}
                    if (holds || performance.now() > last) done(holds); else setTimeout(look, 20);
                }}; look(); }})"
            );
            match self.evaluate(&look).await {
                Ok(Value::Bool(true)) => return,
                Ok(_) => break,
                // A page that is left takes its promises along.
                Err(_) => sleep(LEFT_PAUSE).await,
            }
        }
        let shown = self.evaluate("location + '\\n' + document.body.innerText").await;
        let shown = shown.map(|shown| shown.as_str().unwrap_or_default().to_owned());
        panic!("never: {condition}\nshown instead: {shown:?}\n{:?}", self.complaints());
    }

    /// Waits until something with this text is seen.
    ///
    /// # Panics
    /// When it is not in time.
    pub async fn see(&self, selector: &str, text: &str) {
        self.until(&format!("seen({}, {}).length > 0", json!(selector), json!(text))).await;
    }

    /// Waits until nothing with this text is seen any more.
    ///
    /// # Panics
    /// When it is still there.
    pub async fn miss(&self, selector: &str, text: &str) {
        self.until(&format!("seen({}, {}).length === 0", json!(selector), json!(text))).await;
    }

    /// How many things with this text are seen right now.
    ///
    /// # Panics
    /// When the page is gone.
    pub async fn count(&self, selector: &str, text: &str) -> u64 {
        let count = format!(
            "(() => {{ {SEEN} return seen({}, {}).length }})()",
            json!(selector),
            json!(text)
        );
        self.run(&count).await.as_u64().unwrap_or_default()
    }

    /// Clicks in the middle of the first thing with this text, once nothing lies above it.
    ///
    /// # Panics
    /// When it cannot be clicked in time.
    pub async fn click(&self, selector: &str, text: &str) {
        let (selector, text) = (json!(selector), json!(text));
        // Found and measured in one go: a live part may be put in anew at any time.
        let place = format!(
            "(window.clicked = null, seen({selector}, {text}).find(it => {{
                it.scrollIntoView({{block: 'center', inline: 'center'}});
                const box = it.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
                const top = document.elementFromPoint(x, y);
                if (!top || !(it.contains(top) || top.contains(it))) return false;
                window.clicked = [x, y]; return true;
            }}))"
        );
        self.until(&place).await;
        let place = self.run("window.clicked").await;
        let at = |index: usize| place[index].as_f64().expect("a place");
        self.page.click(Point { x: at(0), y: at(1) }).await.expect("a click");
    }

    /// Types a text over what a field holds.
    ///
    /// # Panics
    /// When there is no such field in time.
    pub async fn fill(&self, selector: &str, text: &str) {
        self.click(selector, "").await;
        self.run("document.activeElement.select?.()").await;
        self.type_text(text).await;
    }

    /// Types a text into whatever has the focus.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn type_text(&self, text: &str) {
        self.page.execute(InsertTextParams::new(text)).await.expect("typed");
    }

    /// Chooses an option of a list, as a click into the opened list does.
    ///
    /// # Panics
    /// When there is no such list in time.
    pub async fn choose(&self, selector: &str, value: &str) {
        self.see(selector, "").await;
        let (selector, value) = (json!(selector), json!(value));
        self.run(&format!(
            "(it => {{ it.value = {value}; it.dispatchEvent(new Event('change', {{bubbles: true}})); }})(document.querySelector({selector}))"
        ))
        .await;
    }

    /// Presses a key by its name: `Tab`, `Enter`, `j`.
    ///
    /// # Panics
    /// When there is no such key.
    pub async fn press(&self, key: &str) {
        let known = get_key_definition(key).unwrap_or_else(|| panic!("there is no key {key}"));
        let text = known.text.or((known.key.len() == 1).then_some(known.key));
        let event = |kind| {
            let event = DispatchKeyEventParams::builder().r#type(kind).key(known.key);
            let code = known.key_code;
            event.code(known.code).windows_virtual_key_code(code).native_virtual_key_code(code)
        };
        let down = match text {
            Some(text) => event(DispatchKeyEventType::KeyDown).text(text),
            None => event(DispatchKeyEventType::RawKeyDown),
        };
        for event in [down, event(DispatchKeyEventType::KeyUp)] {
            self.page.execute(event.build().expect("an event")).await.expect("pressed");
        }
    }

    /// Presses Tab until something with this selector has the focus, and a person can see that it has.
    ///
    /// # Panics
    /// When it takes more than `limit` presses, or the focus cannot be seen.
    pub async fn tab_to(&self, selector: &str, limit: usize) {
        let is_there = format!("document.activeElement?.matches({})", json!(selector));
        for _ in 0..limit {
            self.press("Tab").await;
            if self.run(&is_there).await == true {
                let outline =
                    self.run("getComputedStyle(document.activeElement).outlineStyle").await;
                assert_ne!(outline, "none", "the focus on {selector} cannot be seen");
                return;
            }
        }
        let at = self.run("document.activeElement?.outerHTML.slice(0, 200)").await;
        panic!("{selector} is not reached by {limit} tabs; the last is at {at}");
    }

    /// Where it is, without the server's address.
    ///
    /// # Panics
    /// When the page is gone.
    pub async fn path(&self) -> String {
        self.run("location.pathname + location.search").await.as_str().expect("text").to_owned()
    }

    /// The page's HTTP status.
    ///
    /// # Panics
    /// When the page is gone.
    pub async fn status(&self) -> u64 {
        let status = "performance.getEntriesByType('navigation')[0].responseStatus";
        self.run(status).await.as_u64().unwrap_or_default()
    }

    /// Marks the page, to find out later whether it was loaded again.
    ///
    /// # Panics
    /// When the page is gone.
    pub async fn mark(&self) {
        self.run("window.isMarked = true").await;
    }

    /// Whether it is still the page that was marked.
    ///
    /// # Panics
    /// When the page is gone.
    pub async fn is_marked(&self) -> bool {
        self.run("window.isMarked === true").await == true
    }

    /// Writes a picture of the whole page.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn picture(&self, file: &Path) {
        let bytes = self.page.screenshot(ScreenshotParams::builder().full_page(true).build()).await;
        fs::write(file, bytes.expect("a picture")).expect("written");
    }

    /// Closes it.
    pub async fn close(self) {
        // One that is gone is closed.
        let _ = self.page.close().await;
    }
}
