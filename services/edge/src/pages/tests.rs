//! Every page on fixtures: what it shows, what it must never contain, how large it may be.

mod fixture;

use fixture::{chrome, task, task_with_step};

use super::{
    agents, approvals, audit, breakers, bus,
    chrome::{Chrome, Page, document},
    gate, letters, overview, packs, peek, publish, spend,
    task::{Tab, Task},
    tasks, webhooks,
};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

/// Bytes of a list page with a hundred rows.
const HTML_MAX: usize = 150 * 1024;

fn pages() -> Vec<(&'static str, String)> {
    let chrome = chrome();
    let show = |page: Page| document(&chrome, &page).into_string();
    let tab = |tab: Tab| show(super::task::page(&chrome, &task(tab)));
    vec![
        ("overview", show(overview::page(&chrome, &fixture::overview()))),
        ("tasks", show(tasks::page(&chrome, &fixture::tasks(30)))),
        ("task", tab(Tab::Timeline)),
        ("task-step", show(super::task::page(&chrome, &task_with_step()))),
        ("task-graph", tab(Tab::Graph)),
        ("task-events", tab(Tab::Events)),
        ("task-calls", tab(Tab::Calls)),
        ("task-result", tab(Tab::Result)),
        ("task-spend", tab(Tab::Spend)),
        ("approvals", show(approvals::page(&chrome, &fixture::approvals()))),
        ("agents", show(agents::page(&chrome, &fixture::agents()))),
        ("breakers", show(breakers::page(&chrome, &fixture::breakers()))),
        ("bus", show(bus::page(&chrome, &fixture::bus()))),
        ("peek", show(peek::page(&fixture::peek()))),
        ("dlq", show(letters::page(&chrome, &fixture::letters()))),
        ("spend", show(spend::page(&chrome, &fixture::spend()))),
        ("packs", show(packs::page(&chrome, &fixture::packs()))),
        ("publish", show(publish::page(&chrome, &fixture::publish()))),
        ("audit", show(audit::page(&chrome, &fixture::audit()))),
        ("webhooks", show(webhooks::page(&chrome, &fixture::webhooks()))),
        ("webhooks-secret", show(webhooks::renewed("wh1", "whsec_A"))),
        ("login", gate::login(&chrome, "", "/").into_string()),
        (
            "error",
            gate::error(&chrome, "No such task", "Nobody knows it.", &maud::html! {}).into_string(),
        ),
    ]
}

fn empty_pages() -> Vec<(&'static str, String)> {
    let chrome = Chrome { lag_ms: 9_400, ..Chrome::default() };
    let show = |page: Page| document(&chrome, &page).into_string();
    vec![
        ("overview-empty", show(overview::page(&chrome, &Default::default()))),
        ("tasks-empty", show(tasks::page(&chrome, &Default::default()))),
        ("task-empty", show(super::task::page(&chrome, &Default::default()))),
        ("approvals-empty", show(approvals::page(&chrome, &Default::default()))),
        ("agents-empty", show(agents::page(&chrome, &Default::default()))),
        ("breakers-empty", show(breakers::page(&chrome, &Default::default()))),
        ("bus-empty", show(bus::page(&chrome, &Default::default()))),
        ("peek-empty", show(peek::page(&Default::default()))),
        ("dlq-empty", show(letters::page(&chrome, &Default::default()))),
        ("spend-empty", show(spend::page(&chrome, &Default::default()))),
        ("packs-empty", show(packs::page(&chrome, &Default::default()))),
        ("publish-empty", show(publish::page(&chrome, &Default::default()))),
        ("audit-empty", show(audit::page(&chrome, &Default::default()))),
        ("webhooks-empty", show(webhooks::page(&chrome, &Default::default()))),
    ]
}

#[test]
fn no_page_has_a_script_or_style_of_its_own() {
    for (name, html) in pages().into_iter().chain(empty_pages()) {
        for needle in
            [" style=", "<style", " onclick", " onload", " onerror=\"", "javascript:", "hx-on"]
        {
            assert!(!html.contains(needle), "{name} contains {needle}");
        }
        for rest in html.split("<script").skip(1) {
            assert!(rest.starts_with(" src=\"/assets/"), "{name} has an inline script");
        }
    }
}

#[test]
fn every_page_has_one_heading_a_main_part_and_a_way_around() {
    for (name, html) in pages().into_iter().chain(empty_pages()) {
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert!(html.contains("<html lang=\"en\"") && html.contains("<title>"), "{name}");
        let has_way = html.contains("aria-label=\"Pages\"") && html.contains("Skip to content");
        assert!(has_way || ["login", "error"].contains(&name), "{name}");
    }
}

#[test]
fn ids_are_unique_on_every_page() {
    for (name, html) in pages() {
        let mut ids: Vec<&str> =
            html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}");
    }
}

#[test]
fn a_list_of_a_hundred_rows_fits_its_budget() {
    let html = document(&chrome(), &tasks::page(&chrome(), &fixture::tasks(100))).into_string();
    assert!(html.len() <= HTML_MAX, "{} bytes", html.len());
    assert_eq!(html.matches("name=\"pick\"").count(), 100);
}

#[test]
fn text_from_elsewhere_stays_text_on_every_page() {
    let hostile = || HOSTILE.to_owned();
    let chrome = Chrome { user: hostile(), tenant: hostile(), csrf: hostile(), ..chrome() };
    let mut list = fixture::tasks(1);
    (list.rows[0].goal, list.rows[0].remark, list.filter.text) = (hostile(), hostile(), hostile());
    list.workflows = vec![hostile()];
    let mut one = task_with_step();
    (one.goal, one.why, one.by, one.key) = (hostile(), hostile(), hostile(), hostile());
    one.timeline.lanes[0].name = hostile();
    one.nodes[0].name = hostile();
    if let Some(step) = one.step.as_mut() {
        (step.reason, step.output) = (hostile(), Some(hostile()));
    }
    let mut questions = fixture::approvals();
    (questions.open[0].question, questions.open[0].content) = (hostile(), Some(hostile()));
    let mut needs = fixture::overview();
    (needs.needs[0].text, needs.failures[0].text) = (hostile(), hostile());
    let mut form = fixture::publish();
    (form.filled, form.refused, form.workflow) =
        (format!("{{\"text\":{:?}}}", HOSTILE), hostile(), hostile());
    let mut money = fixture::spend();
    money.shares[0].name = hostile();
    let graph = Task { tab: Tab::Graph, ..one.clone() };
    for page in [
        tasks::page(&chrome, &list),
        super::task::page(&chrome, &one),
        super::task::page(&chrome, &graph),
        approvals::page(&chrome, &questions),
        overview::page(&chrome, &needs),
        publish::page(&chrome, &form),
        spend::page(&chrome, &money),
    ] {
        let html = document(&chrome, &page).into_string();
        assert!(!html.contains("<script>") && !html.contains("<img"), "{}", page.title);
        assert!(html.contains("&lt;script&gt;"), "{} shows it as text", page.title);
    }
}

#[test]
fn the_overview_shows_first_what_needs_a_person() {
    let html = overview::page(&chrome(), &fixture::overview()).body.into_string();
    let needs = html.find("Breaker of role assessor-model").unwrap();
    let figures = html.find("p95 duration").unwrap();
    let failures = html.find("provider answered 503</p>").unwrap_or(html.len());
    assert!(needs < figures && figures < failures);
}

#[test]
fn consumers_that_need_a_look_come_first() {
    let html = bus::page(&chrome(), &fixture::bus()).body.into_string();
    let places = ["partition.0", "role.assessor-model", "role.extractor", "intake"];
    let places = places.map(|name| html.find(&format!(">{name}<")).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn filters_stay_in_the_address() {
    let mut view = fixture::tasks(2);
    (view.filter.status, view.filter.text) = ("failed".to_owned(), "dpia & co".to_owned());
    assert_eq!(view.filter.address(), "/tasks?status=failed&q=dpia%20%26%20co");
    let html = tasks::page(&chrome(), &view).body.into_string();
    assert!(html.contains("/tasks?status=running&amp;q=dpia%20%26%20co"), "chips keep the words");
    assert!(html.contains("&amp;after=k9"), "and so does the next page");
    let page = tasks::page(&chrome(), &view);
    assert_eq!(page.command, "cadre show tasks --tenant acme --status failed --q 'dpia & co'");
    view.filter = tasks::Filter { is_stuck: true, text: "it's".to_owned(), ..Default::default() };
    let everybody = Chrome { tenant: String::new(), ..chrome() };
    let page = tasks::page(&everybody, &view);
    assert_eq!(page.command, "cadre show tasks --all-tenants --q 'it'\\''s' --stuck");
}

#[test]
fn every_page_names_the_command_that_shows_the_same() {
    let chrome = chrome();
    let tab = |tab: Tab| super::task::page(&chrome, &task(tab)).command;
    let id = task(Tab::Timeline).id;
    for (command, expected) in [
        (overview::page(&chrome, &fixture::overview()).command, "cadre show overview"),
        (tasks::page(&chrome, &fixture::tasks(3)).command, "cadre show tasks"),
        (tab(Tab::Timeline), &format!("cadre task show {id}") as &str),
        (tab(Tab::Graph), &format!("cadre task show {id}")),
        (tab(Tab::Events), &format!("cadre task events {id}")),
        (tab(Tab::Calls), &format!("cadre task calls {id}")),
        (tab(Tab::Result), &format!("cadre task result {id}")),
        (tab(Tab::Spend), &format!("cadre task show {id}")),
        (approvals::page(&chrome, &fixture::approvals()).command, "cadre approval ls"),
        (agents::page(&chrome, &fixture::agents()).command, "cadre show agents"),
        (breakers::page(&chrome, &fixture::breakers()).command, "cadre breaker ls --all"),
        (bus::page(&chrome, &fixture::bus()).command, "cadre bus status"),
        (peek::page(&fixture::peek()).command, "cadre bus tail --all --no-follow"),
        (letters::page(&chrome, &fixture::letters()).command, "cadre dlq ls"),
        (spend::page(&chrome, &fixture::spend()).command, "cadre show spend --by"),
        (packs::page(&chrome, &fixture::packs()).command, "cadre pack"),
        (webhooks::page(&chrome, &fixture::webhooks()).command, "cadre webhook ls"),
        (audit::page(&chrome, &fixture::audit()).command, "cadre audit ls"),
    ] {
        assert!(command.starts_with(expected), "{command}, not {expected}");
    }
}

#[test]
fn a_list_without_rows_says_what_to_do() {
    let mut view = fixture::tasks(0);
    assert!(tasks::page(&chrome(), &view).body.into_string().contains("Publish a goal"));
    view.filter.text = "nothing like it".to_owned();
    assert!(tasks::page(&chrome(), &view).body.into_string().contains("No task fits"));
}

#[test]
fn the_timeline_tells_three_kinds_of_waiting_apart() {
    let html = super::task::page(&chrome(), &task(Tab::Timeline)).body.into_string();
    for class in
        ["class=\"queue\"", "class=\"run\"", "class=\"human\"", "class=\"delay\"", "class=\"lost\""]
    {
        assert!(html.contains(class), "{class}");
    }
    assert!(
        html.contains("failed attempt 5.0 s, waited to try again 1.3 s"),
        "said to who cannot see"
    );
    assert!(html.contains("Done by the fallback role"));
}

#[test]
fn failed_only_leaves_what_went_well() {
    let mut view = task(Tab::Timeline);
    view.timeline.is_failed_only = true;
    let html = super::task::page(&chrome(), &view).body.into_string();
    assert!(html.contains("extract.3") && html.contains("lookup") && !html.contains("extract.2"));
    view.timeline.lanes.retain(|lane| lane.name == "classify");
    let html = super::task::page(&chrome(), &view).body.into_string();
    assert!(html.contains("Nothing failed"));
}

#[test]
fn a_fan_out_of_thousands_stays_readable() {
    let mut view = task(Tab::Timeline);
    let lane = view.timeline.lanes[2].clone();
    view.timeline.lanes.extend(std::iter::repeat_n(lane, 5_000));
    let html = super::task::page(&chrome(), &view).body.into_string();
    assert!(html.contains("The first 250 of 5,013 steps"), "it says what is left out");
    assert!(html.len() < 600_000, "{} bytes", html.len());
}

#[test]
fn only_fitting_wishes_are_offered() {
    use super::task::Act;
    assert!(!Act::fitting("completed").contains(&Act::Cancel));
    assert_eq!(Act::fitting("paused").first(), Some(&Act::Resume));
    assert!(Act::ALL.into_iter().all(|act| Act::parse(act.as_str()) == Some(act)));
}

#[test]
fn a_viewer_gets_no_buttons() {
    let mut view = fixture::tasks(2);
    view.can_steer = false;
    let html = tasks::page(&chrome(), &view).body.into_string();
    assert!(!html.contains("name=\"pick\"") && !html.contains("data-bulk"));
    let mut questions = fixture::approvals();
    questions.can_decide = false;
    let html = approvals::page(&chrome(), &questions).body.into_string();
    assert!(!html.contains("name=\"choice\"") && html.contains("may look, not decide"));
}

#[test]
fn a_model_that_is_behind_says_so() {
    let stale = Chrome { lag_ms: 9_400, ..chrome() };
    let html = document(&stale, &tasks::page(&stale, &fixture::tasks(1))).into_string();
    assert!(html.contains("9.4 s behind") && html.contains("data-state=\"stale\""));
    let html = document(&chrome(), &tasks::page(&chrome(), &fixture::tasks(1))).into_string();
    assert!(!html.contains("behind"));
}

#[test]
fn a_bulk_action_says_first_what_it_would_do() {
    let plan = tasks::BulkPlan {
        action: "cancel".to_owned(),
        fits: vec!["a".to_owned(), "b".to_owned()],
        left: vec![("c".to_owned(), "it has ended".to_owned())],
    };
    let html = tasks::confirm(&chrome(), &plan).into_string();
    assert!(html.contains("Would cancel 2 tasks") && html.contains("1 task would be left alone"));
    assert_eq!(html.matches("name=\"pick\"").count(), 2);
}

/// Writes every page as a file where asked to, for people who want to look at them.
#[test]
fn pages_can_be_looked_at() {
    let Some(folder) = std::env::var_os("CADRE_PAGES_DIR") else { return };
    let folder = std::path::PathBuf::from(folder);
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for (name, html) in pages().into_iter().chain(empty_pages()) {
        std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
    for asset in &super::assets::ASSETS {
        std::fs::write(folder.join("assets").join(asset.name), asset.bytes).unwrap();
    }
}
