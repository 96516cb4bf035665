//! The page with a process's figures.

use std::net::SocketAddr;

use anyhow::Context as _;
use cadre_runtime::metrics::Page;

use crate::output;

/// Opens the page if one is wanted; it is there before the services are, and as long as it is kept.
pub(crate) async fn open(address: Option<SocketAddr>) -> anyhow::Result<Option<Page>> {
    let Some(address) = address else { return Ok(None) };
    let page = Page::open(address).await;
    page.map(Some).with_context(|| format!("show figures at {address}, try another --metrics"))
}

/// Says where it is.
pub(crate) fn say(page: Option<&Page>) {
    if let Some(page) = page {
        output::say(&format!("  figures  {}", page.url()));
    }
}
