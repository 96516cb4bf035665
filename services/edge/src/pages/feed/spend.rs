//! What was spent.

use axum::{extract::Query, response::Response};
use cadre_core::time::UnixMillis;
use serde::Deserialize;

use super::{Oops, OrOops as _, Visit};
use crate::{
    model::{SpendBy, Status, TaskFilter, sums::SpendRow},
    pages::spend::{GROUPS, Near, RANGES, Share, Spend, page},
};

/// Shares that are listed.
const SHARES_SHOWN: usize = 20;

/// Open tasks that are looked at for their budgets.
const NEAR_LOOKED_AT: u32 = 200;

/// Of these shown.
const NEAR_SHOWN: usize = 10;

const HOUR_MS: u64 = 3_600_000;

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    by: String,
    #[serde(default)]
    range: String,
}

pub(super) async fn show(visit: Visit, Query(params): Query<Params>) -> Result<Response, Oops> {
    let (model, scope) = (visit.app.model(), visit.identity.scope());
    let group =
        GROUPS.iter().find(|(word, _)| *word == params.by).map_or("model", |(word, _)| word);
    let (range, hours) =
        RANGES.into_iter().find(|(word, _)| *word == params.range).unwrap_or(("24h", 24));
    let by = group.parse().unwrap_or(SpendBy::Model);
    let now = visit.now_ms();
    // Whole hours, as they are kept.
    let until = now.div_ceil(HOUR_MS) * HOUR_MS;
    let since = until.saturating_sub(hours * HOUR_MS);
    let window = (UnixMillis(since), UnixMillis(until));
    let before = (UnixMillis(since.saturating_sub(hours * HOUR_MS)), UnixMillis(since));
    let shares = model.spend(scope, window, &[by]).await.or_oops(&visit)?;
    let past = model.spend(scope, window, &[SpendBy::Hour]).await.or_oops(&visit)?;
    let former = model.spend(scope, before, &[]).await.or_oops(&visit)?;
    let open = TaskFilter {
        statuses: Status::ALL.into_iter().filter(|status| !status.is_end()).collect(),
        ..TaskFilter::default()
    };
    let tasks = model.tasks(scope, &open, None, NEAR_LOOKED_AT).await.or_oops(&visit)?;
    let view = Spend {
        group: group.to_owned(),
        range: range.to_owned(),
        total_micros: sum(&past, |row| row.cost_micros),
        tokens: sum(&past, |row| row.tokens),
        before_micros: Some(sum(&former, |row| row.cost_micros)),
        past: over_time(&past, (since, until)),
        shares: dearest(shares, by),
        near: nearest(tasks.rows),
    };
    visit.show(&page(&visit.chrome(), &view)).await
}

fn sum(rows: &[SpendRow], of: fn(&SpendRow) -> u64) -> u64 {
    rows.iter().map(of).sum()
}

fn dearest(rows: Vec<SpendRow>, by: SpendBy) -> Vec<Share> {
    let mut shares: Vec<Share> = rows
        .into_iter()
        .map(|row| {
            let name = match by {
                SpendBy::Tenant => row.tenant,
                SpendBy::Workflow => row.workflow,
                SpendBy::Role => row.role,
                SpendBy::Model => row.model,
                SpendBy::Hour | SpendBy::Day => None,
            };
            Share {
                name: name.unwrap_or_default(),
                cost_micros: row.cost_micros,
                tokens: row.tokens,
            }
        })
        .collect();
    // Roles that ask no model cost nothing and have no model.
    shares.retain(|share| by != SpendBy::Model || share.cost_micros > 0 || share.tokens > 0);
    shares.sort_by_key(|share| std::cmp::Reverse((share.cost_micros, share.tokens)));
    shares.truncate(SHARES_SHOWN);
    shares
}

/// Every hour of the range, also those in which nothing was spent.
fn over_time(rows: &[SpendRow], (since, until): (u64, u64)) -> Vec<(u64, u64)> {
    let hours = (until - since) / HOUR_MS;
    let of = |at: u64| {
        rows.iter().filter(|row| row.from_ms == Some(at)).map(|row| row.cost_micros).sum()
    };
    (0..hours).map(|hour| since + hour * HOUR_MS).map(|at| (at, of(at))).collect()
}

fn nearest(rows: Vec<crate::model::rows::TaskRow>) -> Vec<Near> {
    let mut near: Vec<Near> = rows
        .into_iter()
        .filter(|row| row.cost_micros > 0)
        .filter_map(|row| {
            let limit_micros = row.cost_max_micros.filter(|limit| *limit > 0)?;
            let goal = if row.excerpt.is_empty() { row.key } else { row.excerpt };
            Some(Near { task: row.task, goal, cost_micros: row.cost_micros, limit_micros })
        })
        .collect();
    near.sort_by_key(|near| {
        std::cmp::Reverse(near.cost_micros.saturating_mul(1_000) / near.limit_micros)
    });
    near.truncate(NEAR_SHOWN);
    near
}
