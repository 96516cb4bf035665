//! The pages in a real browser, over real services on a real broker.
//!
//! ```text
//!  cargo test --workspace --test browser            every test
//!  cargo test --workspace --test browser -- keys    those whose name contains a word
//! ```
//!
//! Pictures of every page are left in `target/screenshots`.

mod approvals;
mod keys;
mod letters;
mod live;
mod pages;
mod tasks;
mod tenants;

use std::{
    panic::AssertUnwindSafe,
    process::ExitCode,
    time::{Duration, Instant},
};

use cadre_browser_tests::world::World;
use futures::{FutureExt as _, future::BoxFuture};

/// Longest time of one test; only one that hangs takes so long, whatever else the machine does.
const TEST_MAX: Duration = Duration::from_secs(900);

type Test = (&'static str, fn(&World) -> BoxFuture<'_, ()>);

/// Every test. The pages come last: by then there is something to be seen on them.
const TESTS: &[Test] = &[
    ("a_goal_is_published_and_seen_to_finish", |world| Box::pin(tasks::published(world))),
    ("failed_steps_of_many_tasks_are_tried_again", |world| Box::pin(tasks::retried(world))),
    ("a_task_is_done_again_from_a_step", |world| Box::pin(tasks::forked(world))),
    ("a_question_is_approved", |world| Box::pin(approvals::approved(world))),
    ("a_question_expires_under_ones_eyes", |world| Box::pin(approvals::expired(world))),
    ("a_dead_letter_is_sent_again", |world| Box::pin(letters::sent_again(world))),
    ("another_tenants_task_is_not_there", |world| Box::pin(tenants::apart(world))),
    ("a_tab_asks_for_what_it_shows_by_one_stream", |world| Box::pin(live::frugal(world))),
    ("keys_alone_publish_and_approve", |world| Box::pin(keys::alone(world))),
    ("every_page_is_accessible_and_fits_its_screen", |world| Box::pin(pages::looked_at(world))),
];

#[tokio::main]
async fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let chosen: Vec<&Test> = TESTS.iter().filter(|(name, _)| name.contains(&wanted)).collect();
    if chosen.is_empty() {
        eprintln!("no test is named {wanted}");
        return ExitCode::SUCCESS;
    }
    // The browser speaks newer words than the library knows; none of them matters here.
    let filter =
        std::env::var("CADRE_LOG").unwrap_or_else(|_| "error,chromiumoxide=off".to_owned());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let world = World::start().await;
    let mut failed = Vec::new();
    for (name, test) in chosen {
        let began = Instant::now();
        // A test that panics has failed, and the others go on in the same world.
        let run = AssertUnwindSafe(test(&world)).catch_unwind();
        let is_fine = match tokio::time::timeout(TEST_MAX, run).await {
            Ok(ended) => ended.is_ok(),
            Err(_) => {
                eprintln!("{name} is not done after {TEST_MAX:?}");
                false
            }
        };
        eprintln!(
            "test {name} ... {} ({:.1?})",
            if is_fine { "ok" } else { "FAILED" },
            began.elapsed()
        );
        if !is_fine {
            failed.push(name);
        }
    }
    world.stop().await;
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("failed: {failed:?}");
    ExitCode::FAILURE
}
