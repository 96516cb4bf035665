//! `cadre init`: writes a pack to begin with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use crate::{
    exit::{Code, Failure},
    output::{self, text::count},
    packs::BuiltIn,
};

/// Write a pack to begin with: roles that ask models, contracts, prompts, samples and recorded answers.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre init --template contract intake      contract intake: classify, extract, validate, brief
  cadre init --template support desk         a support desk whose router is a model
  cadre init --template planner outing       a planner that is a model
  cadre pack check intake && cadre pack test intake")]
pub(crate) struct InitArgs {
    /// Which pack to begin with.
    #[arg(long, value_enum, default_value_t = Template::Contract)]
    template: Template,
    /// The folder to write; it must be new or empty.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// A pack to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Template {
    /// Contract intake with models, and rules where they fail.
    Contract,
    /// A support desk whose router is a model.
    Support,
    /// A planner that is a model.
    Planner,
}

impl Template {
    /// The built-in pack that it is.
    fn pack(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Support => "support",
            Self::Planner => "planner",
        }
    }
}

pub(crate) fn run(args: &InitArgs) -> anyhow::Result<()> {
    let pack = args.template.pack();
    let pack = BuiltIn::find(pack).ok_or_else(|| anyhow::anyhow!("pack {pack} is not built in"))?;
    let files = write(pack, &args.folder)?;
    let (folder, files) = (args.folder.display(), count(files, "file"));
    output::say(&format!(
        "wrote {files}; next: cadre pack check {folder}, cadre pack test {folder}"
    ));
    Ok(output::data(&folder.to_string())?)
}

/// Writes every file of a pack into a folder that is new or empty; how many.
fn write(pack: BuiltIn, folder: &Path) -> anyhow::Result<u64> {
    let is_empty = !folder.exists() || fs::read_dir(folder).is_ok_and(|mut it| it.next().is_none());
    if !is_empty {
        let text =
            format!("write {}: it is there and not empty; name a new folder", folder.display());
        return Err(Failure::new(Code::Usage, text).into());
    }
    let mut written = 0;
    for (path, content) in pack.files() {
        let file = folder.join(path);
        let failed =
            |error| Failure::new(Code::Error, format!("write {}: {error}", file.display()));
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent).and_then(|()| fs::write(&file, content)).map_err(failed)?;
        written += 1;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use cadre_core::pack::compile;

    use super::*;
    use crate::packs;

    #[test]
    fn every_template_is_a_pack_that_can_be_tested() {
        for template in Template::value_variants() {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().join("new");
            let pack = BuiltIn::find(template.pack()).unwrap();
            write(pack, &folder).unwrap();
            let source = packs::read(&folder).unwrap();
            assert_eq!(source, pack.source());
            compile(&source).unwrap_or_else(|errors| panic!("{errors}"));
            let place = packs::Place::find(&folder).unwrap();
            assert!(!place.samples().unwrap().is_empty());
            assert!(place.file("baseline.json").unwrap().is_some(), "{template:?}");
            assert!(write(pack, &folder).unwrap_err().to_string().contains("not empty"));
        }
    }
}
