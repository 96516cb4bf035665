//! Every page, looked at: by the rules of accessibility, by a ruler, and by whoever opens the pictures.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cadre::packs::BuiltIn;
use cadre_browser_tests::{
    axe::Axe,
    window::Window,
    world::{Person, TENANT, World},
};
use cadre_core::ids::TaskId;
use cadre_tests::{hand::Hand, process::program, shell::fine};
use serde_json::{Value, json};

/// Widths and heights of screens: a desk, a tablet, a phone.
const SCREENS: [(i64, i64); 3] = [(1440, 900), (768, 1024), (360, 740)];

/// Anything that is wider than the screen, though nothing around it scrolls.
/// The width is given: a phone's `innerWidth` grows with what overflows.
const OVERFLOW: &str = "document.documentElement.scrollWidth > WIDTH
    ? [...document.querySelectorAll('main *')].filter(it => it.getBoundingClientRect().right > WIDTH + 1)
        .slice(0, 5).map(it => it.outerHTML.slice(0, 160)).join(' | ') || 'the page itself'
    : ''";

/// What follows a resize is drawn by then.
const NEXT_FRAME: &str =
    "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";

/// A page and the name of its pictures.
struct Place {
    name: &'static str,
    path: String,
}

/// Looks at all of them; what is wrong is gathered, so that one run tells everything.
pub(crate) async fn looked_at(world: &World) {
    let places = furnished(world).await;
    let axe = Axe::get().await;
    let folder = pictures();
    let mut wrongs = Vec::new();
    let window = world.window_of(Person::Ops).await;
    for place in &places {
        wrongs.extend(look(&window, (place, &axe), &folder).await);
    }
    window.close().await;
    let stranger = world.window().await;
    let login = Place { name: "login", path: "/login".to_owned() };
    wrongs.extend(look(&stranger, (&login, &axe), &folder).await);
    stranger.close().await;
    eprintln!("pictures of {} pages are in {}", places.len() + 1, folder.display());
    assert!(wrongs.is_empty(), "{} wrongs:\n{}", wrongs.len(), wrongs.join("\n"));
}

/// One page on every screen, light and dark.
async fn look(window: &Window, (place, axe): (&Place, &Axe), folder: &Path) -> Vec<String> {
    let mut wrongs = Vec::new();
    for scheme in ["light", "dark"] {
        window.prefer(scheme).await;
        // Charts are drawn in the colours that there were when the page came.
        window.go(&place.path).await;
        // Only colours are different in the dark.
        let screens = if scheme == "dark" { &SCREENS[..1] } else { &SCREENS[..] };
        for (width, height) in screens.iter().copied() {
            window.resize(width, height).await;
            window.run(NEXT_FRAME).await;
            let at = format!("{} {scheme} {width}", place.name);
            let wide = window.run(&OVERFLOW.replace("WIDTH", &width.to_string())).await;
            if wide != "" {
                wrongs.push(format!("{at}: wider than the screen: {wide}"));
            }
            // What is hidden or folded depends on the width; a tablet hides nothing that a phone shows.
            let found = if width == 768 { Vec::new() } else { axe.wrongs(window).await };
            wrongs.extend(found.into_iter().map(|wrong| format!("{at}: {wrong}")));
            let name = format!("{}-{width}-{scheme}.png", place.name);
            window.picture(&folder.join(name)).await;
        }
    }
    let complaints = window.complaints().into_iter().filter(|said| !said.contains("404"));
    wrongs.extend(complaints.map(|said| format!("{}: {said}", place.name)));
    wrongs
}

/// `target/screenshots`, empty.
fn pictures() -> PathBuf {
    let program = program();
    let folder = program.ancestors().nth(2).expect("target/<profile>/cadre").join("screenshots");
    // There may be none yet.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Something on every page: tasks that are done, wait, run and have failed, letters, a held breaker.
async fn furnished(world: &World) -> Vec<Place> {
    let bed = &world.bed;
    let sample = |pack: &str, path: &str| {
        let pack = BuiltIn::find(pack).expect("it ships");
        String::from_utf8(pack.file(path).expect("a sample").to_vec()).expect("text")
    };
    let json_of = |text: String| serde_json::from_str::<Value>(&text).expect("json");
    let mut answered = Vec::new();
    for name in ["nda", "msa"] {
        let text = sample("contract", &format!("samples/{name}.txt"));
        let goal = json!({"name": format!("{name}.txt"), "text": text});
        answered.push(bed.publish("contract-intake", name, &goal).await);
    }
    for (workflow, key, path) in
        [("planner", "lisbon", "samples/lisbon.json"), ("research", "light", "samples/goal.json")]
    {
        answered.push(bed.publish(workflow, key, &json_of(sample(workflow, path))).await);
    }
    for name in ["charge", "error", "stray"] {
        let goal = json_of(sample("support", &format!("samples/{name}.json")));
        bed.publish("support", name, &goal).await;
    }
    bed.publish("refund", "lamp", &json_of(sample("refund", "samples/goal.json"))).await;
    for (key, usd, to) in [("rent", 1_250, "the landlord"), ("paper", 38, "a stationer")] {
        bed.publish("payment", key, &json!({"usd": usd, "to": to})).await;
    }
    let failing = bed.publish("pair", "stumble", &json!({"name": "Compare two offers"})).await;
    let order = Hand::of(bed, "pair-quick").await.order().await;
    let message = "the supplier's page answered 503 three times";
    order.answer(json!({"failed": {"kind": "ERROR", "message": message}})).await;
    bed.publish("forgotten", "lost", &json!({"n": 1})).await;
    let hold =
        ["breaker", "open", "role.bank", "--for", "10m", "--reason", "the bank is rolled out"];
    fine(bed, &hold).await;
    // At an address that is never reached: it fails as soon as a task ends.
    let hook = ["webhook", "add", "http://127.0.0.1:1/", "--private", "--tenant", TENANT];
    fine(bed, &hook).await;
    let denied =
        bed.publish("payment", "denied", &json!({"usd": 90_000, "to": "a stranger"})).await;
    let window = world.window_of(Person::Ann).await;
    window.go("/approvals").await;
    window.see(".ask", "90000 USD").await;
    fine(bed, &["approval", "deny", denied.as_str(), "--as", "bo", "--tenant", TENANT]).await;
    for task in &answered {
        bed.answer(task).await;
    }
    window.miss(".ask", "90000 USD").await;
    window.go("/tasks").await;
    window.until("seen('tbody tr', 'contract-intake').filter(it => it.querySelector('.s-ok')).length >= 2").await;
    window.close().await;
    places(&answered, &failing)
}

fn places(answered: &[TaskId], failing: &TaskId) -> Vec<Place> {
    let contract = answered.get(1).expect("a contract");
    let planned = answered.get(2).expect("a plan");
    let fixed = [
        ("overview", "/"),
        ("tasks", "/tasks"),
        ("tasks-filtered", "/tasks?status=waiting&workflow=payment"),
        ("tasks-none", "/tasks?q=nothing-has-these-words"),
        ("approvals", "/approvals"),
        ("agents", "/agents"),
        ("breakers", "/breakers"),
        ("bus", "/bus"),
        ("peek", "/bus/CADRE_LOG_0"),
        ("webhooks", "/webhooks"),
        ("dlq", "/dlq"),
        ("spend", "/spend"),
        ("packs", "/packs"),
        ("packs-one", "/packs?pack=contract-intake"),
        ("publish", "/publish"),
        ("publish-form", "/publish?workflow=contract-intake"),
        ("audit", "/audit"),
        ("not-here", "/tasks/b3xlc6fpudch6yiinfqcwapkdp"),
    ];
    let mut places: Vec<Place> =
        fixed.map(|(name, path)| Place { name, path: path.to_owned() }).into();
    let tabs = [
        ("task-timeline", ""),
        ("task-step", "?step=validate"),
        ("task-graph", "?tab=graph"),
        ("task-events", "?tab=events"),
        ("task-calls", "?tab=calls"),
        ("task-result", "?tab=result"),
        ("task-spend", "?tab=spend"),
    ];
    places.extend(tabs.map(|(name, tab)| Place { name, path: format!("/tasks/{contract}{tab}") }));
    places.push(Place { name: "task-failing", path: format!("/tasks/{failing}") });
    places.push(Place { name: "task-planned", path: format!("/tasks/{planned}?tab=graph") });
    places
}
