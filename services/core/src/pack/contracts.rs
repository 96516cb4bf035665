//! The contract files of a pack.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{PackSource, document::Position, problems::Problems};
use crate::{contract::Contract, expr::suggestion, ids::Name};

/// Every contract file, compiled; `None` for one that did not compile.
#[derive(Debug)]
pub(super) struct Contracts {
    by_path: BTreeMap<String, Option<Arc<Contract>>>,
    used: BTreeSet<String>,
}

impl Contracts {
    /// Compiles every `contracts/<name>.v<version>.json` of a pack.
    pub(super) fn compile(source: &PackSource, problems: &mut Problems) -> Self {
        let paths = source.files.keys().filter(|path| path.starts_with(FOLDER));
        let by_path = paths.map(|path| {
            let contract = read(source, path).map(Arc::new);
            let contract = contract.map_err(|(position, message)| {
                problems.in_file(path, position, message);
            });
            (path.clone(), contract.ok())
        });
        Self { by_path: by_path.collect(), used: BTreeSet::new() }
    }

    /// The contract that the pack names at `pointer`.
    pub(super) fn get(
        &mut self,
        path: &str,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Arc<Contract>> {
        let Some(contract) = self.by_path.get(path) else {
            let known = suggestion(path, self.by_path.keys().map(String::as_str));
            problems.at(pointer, format!("there is no file `{path}`{known}"));
            return None;
        };
        self.used.insert(path.to_owned());
        contract.clone()
    }

    /// Reports the files that nothing names.
    pub(super) fn report_unused(&self, problems: &mut Problems) {
        for path in self.by_path.keys().filter(|path| !self.used.contains(*path)) {
            problems.in_file(path, None, "no role and no workflow uses this contract".to_owned());
        }
    }
}

const FOLDER: &str = "contracts/";

fn read(source: &PackSource, path: &str) -> Result<Contract, (Option<Position>, String)> {
    let fail = |message: String| (None, message);
    let (name, version) = name_and_version(path).ok_or_else(|| {
        fail("a contract's file is named contracts/<name>.v<version>.json".to_owned())
    })?;
    let text = source.text(path).ok_or_else(|| fail("is missing".to_owned()))?;
    let text = text.map_err(|e| fail(e.to_string()))?;
    let schema = serde_json::from_str(text).map_err(|error| {
        let number = |n: usize| u32::try_from(n).ok().filter(|n| *n > 0);
        // A text that ends too early ends at column 0 of the line behind it.
        let position = number(error.line()).zip(number(error.column().max(1)));
        let position = position.map(|(line, column)| Position { line, column });
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        (position, format!("not valid JSON: {message}"))
    })?;
    Contract::compile(name, version, &schema).map_err(|error| fail(error.reason))
}

/// `contracts/terms.v2.json` as `terms` and 2.
fn name_and_version(path: &str) -> Option<(&str, u32)> {
    let (name, version) = path.strip_prefix(FOLDER)?.strip_suffix(".json")?.rsplit_once(".v")?;
    let is_plain = !version.starts_with('0') && version.bytes().all(|c| c.is_ascii_digit());
    let version = version.parse().ok().filter(|_| is_plain)?;
    Name::new(name).ok()?;
    Some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_tells_name_and_version() {
        assert_eq!(name_and_version("contracts/terms.v2.json"), Some(("terms", 2)));
        assert_eq!(name_and_version("contracts/a-b_c.v10.json"), Some(("a-b_c", 10)));
        for path in [
            "contracts/terms.json",
            "contracts/terms.v0.json",
            "contracts/terms.v02.json",
            "contracts/Terms.v1.json",
            "contracts/.v1.json",
            "contracts/a.v+1.json",
            "contracts/a.v99999999999.json",
        ] {
            assert_eq!(name_and_version(path), None, "{path}");
        }
    }
}
