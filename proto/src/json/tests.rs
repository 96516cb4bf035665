use prost::Message;

use super::*;

fn json(text: &str) -> Json {
    Json(Kind::Text(Bytes::copy_from_slice(text.as_bytes())))
}

#[test]
fn texts_are_kept_to_the_letter_in_both_encodings() {
    let texts =
        ["null", "\"x\"", "[1.0, 1e400, 12345678901234567890]", "{ \"b\" :1,\"a\":2, \"b\":3}"];
    for text in texts {
        let document = json(text);
        assert_eq!(Json::decode(document.encode_to_vec().as_slice()).unwrap(), document);
        let encoded = serde_json::to_string(&document).unwrap();
        assert_eq!(encoded, text);
        assert_eq!(serde_json::from_str::<Json>(&encoded).unwrap(), document);
    }
}

#[test]
fn documents_that_look_like_references_are_escaped() {
    let reference = r#"{"sha256":"00","size":1}"#;
    let documents = [
        format!("{{\"$blob\":{reference}}}"),
        format!("{{ \"\\u0024blob\" :{reference}}}"),
        r#"{"$json":1}"#.to_owned(),
        r#"{"$json":{"$json":{"$blob":2}}}"#.to_owned(),
        r#"{"$blob":1,"$blob":2}"#.to_owned(),
        r#"{"$json":1,"$json":2}"#.to_owned(),
    ];
    for text in &documents {
        let encoded = serde_json::to_string(&json(text)).unwrap();
        assert_eq!(encoded, format!("{{\"$json\":{text}}}"));
        assert_eq!(serde_json::from_str::<Json>(&encoded).unwrap(), json(text));
    }
    for text in [r#"{"$blob":1,"a":2}"#, r#"{"a":2,"$blob":1}"#, r#"{"$blob":1,"$json":2}"#, "{}"] {
        assert_eq!(serde_json::to_string(&json(text)).unwrap(), text, "not escaped");
        assert_eq!(serde_json::from_str::<Json>(text).unwrap(), json(text));
    }
}

#[test]
fn references_read_back() {
    let large = Payload::from_value("x".repeat(70_000).into()).unwrap();
    let document = Json::from(&large);
    let encoded = serde_json::to_string(&document).unwrap();
    let hash = large.blob().unwrap().hash;
    assert_eq!(encoded, format!(r#"{{"$blob":{{"sha256":"{hash}","size":70002}}}}"#));
    let decoded: Json = serde_json::from_str(&encoded).unwrap();
    assert_eq!(decoded, document);
    assert_eq!(decoded.reference().unwrap(), large.blob());
    assert_eq!(Json::decode(document.encode_to_vec().as_slice()).unwrap(), document);
}

#[test]
fn malformed_references_are_refused() {
    let hash = "0".repeat(64);
    for text in [
        r#"{"$blob":1}"#.to_owned(),
        r#"{"$blob":{"sha256":"00","size":1}}"#.to_owned(),
        format!(r#"{{"$blob":{{"sha256":"{hash}"}}}}"#),
        format!(r#"{{"$blob":{{"sha256":"{hash}","size":-1}}}}"#),
        format!(r#"{{"$blob":{{"sha256":"{hash}","size":1,"more":2}}}}"#),
        format!(r#"{{"$blob":1,"$blob":{{"sha256":"{hash}","size":1}}}}"#),
    ] {
        assert!(serde_json::from_str::<Json>(&text).is_err(), "{text}");
    }
    let blob = |sha256: &[u8], size_bytes| {
        Json(Kind::Blob(v1::Blob { sha256: Bytes::copy_from_slice(sha256), size_bytes }))
    };
    assert!(matches!(blob(&[0; 31], 1).reference(), Err(Problem::Range(_))));
    assert!(matches!(blob(&[0; 32], u64::MAX).reference(), Err(Problem::Document(_))));
}

#[test]
fn fetched_documents_are_checked() {
    let large = Payload::from_value("x".repeat(70_000).into()).unwrap();
    let other = Payload::from_value("small".into()).unwrap();
    let (hash, wrong) = (large.blob().unwrap().hash, Hash::of(other.text().as_bytes()));
    let read = |blobs: &[(Hash, &Payload)]| {
        let blobs = blobs.iter().map(|(hash, payload)| (*hash, (*payload).clone())).collect();
        Json::from(&large).into_payload(&blobs)
    };
    assert_eq!(read(&[(hash, &large)]), Ok(large.clone()));
    assert_eq!(read(&[(wrong, &large)]), Err(Problem::BlobMissing(hash)));
    let mismatch = Problem::BlobMismatch { expected: hash, found: wrong };
    assert_eq!(read(&[(hash, &other)]), Err(mismatch));
}

#[test]
fn an_empty_document_is_an_error() {
    assert_eq!(Json::default().encode_to_vec(), b"");
    assert_eq!(Json::default().into_payload(&Blobs::new()), Err(Problem::Missing));
    assert!(serde_json::to_string(&Json::default()).is_err());
}
