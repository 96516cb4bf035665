//! The file of the read model: opening it, and beginning anew when it is not ours to go on with.
//!
//! It never is the truth, so nothing in it is worth a repair: another version or any damage, and it is deleted.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use cadre_core::payload::Hash;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// The tables.
const SCHEMA: &str = include_str!("schema.sql");

/// To be raised when the same tables are filled in another way.
const FOLD: u32 = 1;

/// How long a connection waits for another one's lock.
const BUSY: Duration = Duration::from_secs(5);

/// What `user_version` must say: a hash, so that no change of the tables can be forgotten.
static VERSION: LazyLock<i32> = LazyLock::new(|| {
    let Hash([a, b, c, d, ..]) = Hash::of(format!("{FOLD}\n{SCHEMA}").as_bytes());
    // 0 is a file without a version.
    (i32::from_be_bytes([a, b, c, d]) & i32::MAX).max(1)
});

/// Why the file cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database says no.
    #[error("use the read model's file {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// What is there cannot be removed.
    #[error("remove the read model's file {}: do so by hand, it is folded anew", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Opens the file for writing, and makes it where there is none, another version or a damaged one.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = |source| StoreError::Database { path: path.to_owned(), source };
    match try_open(path) {
        Ok(Some(db)) => return Ok(db),
        Ok(None) => tracing::info!("the read model is of another version: it is folded anew"),
        Err(error) if is_busy(&error) => return Err(failed(error)),
        // Damage has many faces; what cannot be opened anew either is no damage.
        Err(error) => tracing::warn!(%error, "the read model is damaged: it is folded anew"),
    }
    remove(path)?;
    let fresh = try_open(path).map_err(failed)?;
    fresh.ok_or_else(|| failed(rusqlite::Error::InvalidQuery))
}

/// Removes the file and what lies beside it.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(StoreError::Remove { path: PathBuf::from(name), source }),
        }
    }
    Ok(())
}

/// Opens the file for queries.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "cache_size", -16_384)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// Whether the file is no read model any more.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether somebody else is at it.
fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// `None` for a file of another version.
fn try_open(path: &Path) -> rusqlite::Result<Option<Connection>> {
    let db = Connection::open(path)?;
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    // It may be lost, and is only ever rebuilt.
    db.pragma_update(None, "synchronous", "off")?;
    db.pragma_update(None, "cache_size", -65_536)?;
    db.pragma_update(None, "temp_store", "memory")?;
    // A rebuild writes the same pages again and again: they need not reach the file each time.
    db.pragma_update(None, "wal_autocheckpoint", 8_000)?;
    db.set_prepared_statement_cache_capacity(64);
    let version: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u32 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version == 0 && tables == 0 {
        let whole =
            format!("BEGIN IMMEDIATE;\n{SCHEMA}\nPRAGMA user_version = {};\nCOMMIT;", *VERSION);
        db.execute_batch(&whole)?;
        return Ok(Some(db));
    }
    if version != *VERSION {
        return Ok(None);
    }
    let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        tracing::warn!(verdict, "the read model is damaged");
        return Ok(None);
    }
    Ok(Some(db))
}
