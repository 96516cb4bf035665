//! `cadre` as people and scripts call it, on a test's broker.

use std::{path::Path, process::Stdio};

use serde_json::Value;
use tokio::process::Command;

use crate::{bed::Bed, process::program};

/// What a command came to.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its data.
    pub data: Vec<u8>,
    /// Its talk.
    pub talk: String,
}

impl Said {
    /// Its data as text.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.data).expect("text")
    }

    /// Its data as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.data).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs `cadre <args>` to its end, whatever that is.
///
/// # Panics
/// When the program is not there.
pub async fn cadre(bed: &Bed, args: &[&str]) -> Said {
    cadre_of(&program(), bed, args).await
}

/// The same with another build of it.
///
/// # Panics
/// When the program is not there.
pub async fn cadre_of(program: &Path, bed: &Bed, args: &[&str]) -> Said {
    let mut command = Command::new(program);
    command.args(["--nats", &bed.server.urls().join(",")]).args(args).stdin(Stdio::null());
    command.env("NO_COLOR", "1").env_remove("CADRE_TENANT").env_remove("CADRE_OUTPUT");
    let output = command.output().await.expect("cadre runs");
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    Said { code: output.status.code(), data: output.stdout, talk }
}

/// The same, and it must end well.
///
/// # Panics
/// When it does not.
pub async fn fine(bed: &Bed, args: &[&str]) -> Said {
    let said = cadre(bed, args).await;
    assert_eq!(said.code, Some(0), "cadre {args:?}: {}\n{}", said.talk, said.text());
    said
}
