//! The committed code in `src/generated/` is what the .proto files say.
//!
//! `UPDATE=1 cargo test -p cadre-proto codegen` writes it anew; protoc is never needed.

use std::{fs, path::Path};

use prost_build::Module;
use protox::prost_reflect::prost_types::FileDescriptorProto;

/// Every file of the package.
const FILES: [&str; 6] = [
    "cadre/v1/json.proto",
    "cadre/v1/task.proto",
    "cadre/v1/record.proto",
    "cadre/v1/work.proto",
    "cadre/v1/run.proto",
    "cadre/v1/model.proto",
];

/// Fields of type `Json`, which `crate::json` encodes by hand.
const JSON_FIELDS: [&str; 9] =
    ["answer", "content", "evidence", "input", "items", "output", "proposal", "refused", "result"];

const HEADER: &str = "// Generated from proto/cadre/v1/*.proto by `UPDATE=1 cargo test -p cadre-proto codegen`.\n// Do not edit.\n\n";

#[test]
fn the_generated_code_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = protox::compile(FILES, [root]).unwrap().file;
    check(&root.join("src/generated/cadre.v1.rs"), &messages(&files));
    check(&root.join("src/generated/cadre.v1.serde.rs"), &serde_impls(&files));
}

fn messages(files: &[FileDescriptorProto]) -> String {
    let mut config = prost_build::Config::new();
    config.extern_path(".cadre.v1.Json", "crate::json::Json").bytes(["."]);
    let module = Module::from_protobuf_package_name("cadre.v1");
    let requests = files.iter().map(|file| (module.clone(), file.clone())).collect();
    let mut code = config.generate(requests).unwrap();
    format!("{HEADER}{}", code.remove(&module).unwrap())
}

fn serde_impls(files: &[FileDescriptorProto]) -> String {
    let mut builder = pbjson_build::Builder::new();
    builder
        .extern_path(".cadre.v1.Json", "crate::json::Json")
        .exclude([".cadre.v1.Json", ".cadre.v1.Blob"]);
    for file in files {
        builder.register_file_descriptor(file.clone());
    }
    let mut parts = builder.generate(&[".cadre.v1"], |_| Ok(Vec::new())).unwrap();
    let (_, code) = parts.pop().unwrap();
    let mut code = format!("{HEADER}{}", String::from_utf8(code).unwrap());
    for field in JSON_FIELDS {
        // JSON `null` is a document, but `Option` would read it as an absent field.
        let generated = format!("{field}__ = map_.next_value()?;");
        assert!(code.contains(&generated), "no field {field} of type Json");
        code = code.replace(&generated, &format!("{field}__ = Some(map_.next_value()?);"));
    }
    code
}

fn check(path: &Path, code: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, code).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == code,
        "{} is stale: run UPDATE=1 cargo test -p cadre-proto codegen",
        path.display()
    );
}
