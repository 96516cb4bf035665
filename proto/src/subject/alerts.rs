//! Subjects of alerts: `alerts.<kind>.<subject…>`, and `alerts.watcher`.

/// Every alert.
pub const ALL: &str = "alerts.*.>";

/// Who watches the fleet.
pub const WATCHER: &str = "alerts.watcher";

/// Where the alerts of this kind about this subject are; the subject may have several tokens.
#[must_use]
pub fn alert(kind: &str, subject: &str) -> String {
    format!("alerts.{kind}.{subject}")
}
