//! The front-end files, embedded: our stylesheet and script, and what others wrote (`assets/vendor`).
//!
//! Pages name them with their content's hash, so a browser keeps them for a year and still sees a new
//! build at once. `assets/vendor/lock.json` names version, source and licence of what is not ours.

use std::sync::LazyLock;

use axum::{
    extract::{Path, RawQuery},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use cadre_core::payload::Hash;

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const FONT: &str = "font/woff2";

/// One embedded file.
#[derive(Debug)]
pub(super) struct Asset {
    /// Its name below `/assets/`.
    pub(super) name: &'static str,
    mime: &'static str,
    pub(super) bytes: &'static [u8],
}

/// Every file that a page can ask for.
pub(super) const ASSETS: [Asset; 8] = [
    Asset {
        name: "mark.svg",
        mime: "image/svg+xml",
        bytes: include_bytes!("../../assets/mark.svg"),
    },
    Asset { name: "cadre.css", mime: CSS, bytes: include_bytes!("../../assets/cadre.css") },
    Asset { name: "cadre.js", mime: SCRIPT, bytes: include_bytes!("../../assets/cadre.js") },
    Asset {
        name: "htmx.js",
        mime: SCRIPT,
        bytes: include_bytes!("../../assets/vendor/htmx.min.js"),
    },
    Asset {
        name: "uplot.js",
        mime: SCRIPT,
        bytes: include_bytes!("../../assets/vendor/uplot.min.js"),
    },
    Asset {
        name: "uplot.css",
        mime: CSS,
        bytes: include_bytes!("../../assets/vendor/uplot.min.css"),
    },
    Asset {
        name: "geist.woff2",
        mime: FONT,
        bytes: include_bytes!("../../assets/vendor/geist.woff2"),
    },
    Asset {
        name: "geist-mono.woff2",
        mime: FONT,
        bytes: include_bytes!("../../assets/vendor/geist-mono.woff2"),
    },
];

static ADDRESSES: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    let address = |asset: &Asset| {
        let hash = Hash::of(asset.bytes).short();
        (asset.name, format!("/assets/{}?v={hash}", asset.name))
    };
    ASSETS.iter().map(address).collect()
});

/// The address of a file, with the hash of its content; the bare name for one that is not ours.
pub(super) fn address(name: &'static str) -> &'static str {
    ADDRESSES.iter().find(|(known, _)| *known == name).map_or(name, |(_, address)| address)
}

/// `GET /assets/{name}`: one file, kept for a year when asked for with its hash.
pub(super) async fn serve(Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let keep = if query.is_some_and(|query| query.starts_with("v=")) {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=86400"
    };
    ([(header::CONTENT_TYPE, asset.mime), (header::CACHE_CONTROL, keep)], asset.bytes)
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of all scripts together.
    const SCRIPTS_MAX: usize = 120 * 1024;

    #[test]
    fn scripts_fit_the_budget() {
        let scripts = ASSETS.iter().filter(|asset| asset.mime == SCRIPT);
        let total: usize = scripts.map(|asset| asset.bytes.len()).sum();
        assert!(total <= SCRIPTS_MAX, "{total} bytes of scripts");
    }

    #[test]
    fn vendored_files_are_what_the_lock_says() {
        let lock: serde_json::Value =
            serde_json::from_str(include_str!("../../assets/vendor/lock.json")).unwrap();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/vendor");
        for entry in lock["files"].as_array().unwrap() {
            let name = entry["file"].as_str().unwrap();
            let bytes = std::fs::read(folder.join(name)).unwrap();
            assert_eq!(entry["sha256"], Hash::of(&bytes).to_string().as_str(), "{name}");
            let licence = entry["licence_file"].as_str().unwrap();
            assert!(folder.join(licence).is_file(), "{licence}");
        }
    }

    #[test]
    fn an_address_changes_with_the_content() {
        assert!(address("cadre.css").starts_with("/assets/cadre.css?v="));
        assert_eq!(address("none.css"), "none.css");
    }

    #[test]
    fn our_script_needs_no_evaluation_of_text() {
        let text = include_str!("../../assets/cadre.js");
        for needle in ["eval(", "new Function", "innerHTML", "insertAdjacentHTML"] {
            assert!(!text.contains(needle), "{needle}");
        }
    }
}
