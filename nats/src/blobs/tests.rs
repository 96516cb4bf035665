//! Blobs on a real server.

use cadre_core::ids::Partitions;
use cadre_core::limits::INLINE_BYTES_MAX;

use super::*;
use crate::{
    connect::{ConnectOptions, connect},
    server::{Server, testing::server},
    topology::{Topology, apply},
};

async fn prepared() -> (Server, Context) {
    let server = server().await;
    let connection = connect(ConnectOptions::new(server.url(), "test")).await.expect("connected");
    let topology = Topology::dev(Partitions::new(1));
    apply(&connection.js, &topology, false).await.expect("applied");
    (server, connection.js)
}

fn document(bytes: usize) -> Payload {
    let text: String = (0..bytes).map(|at| char::from(b'a' + (at % 23) as u8)).collect();
    Payload::from_value(text.into()).expect("a document")
}

async fn messages(js: &Context) -> u64 {
    let stream = js.get_stream("OBJ_CADRE_BLOBS").await.expect("exists");
    stream.cached_info().state.messages
}

#[tokio::test]
async fn a_large_document_comes_back_to_the_letter() {
    let (_server, js) = prepared().await;
    let (writer, reader) = (Blobs::new(js.clone()), Blobs::new(js.clone()));
    for bytes in [INLINE_BYTES_MAX + 1, 1_000_000, PAYLOAD_BYTES_MAX - 2] {
        let payload = document(bytes);
        let blob = writer.put(&payload).await.expect("stored").expect("large");
        assert_eq!(reader.get(blob).await.expect("read"), payload);
    }
    assert_eq!(writer.put(&document(100)).await, Ok(None), "small ones travel inside");
}

#[tokio::test]
async fn storing_again_stores_nothing() {
    let (_server, js) = prepared().await;
    let payload = document(300_000);
    Blobs::new(js.clone()).put(&payload).await.expect("stored");
    let before = messages(&js).await;
    let other = Blobs::new(js.clone());
    other.put(&payload).await.expect("there");
    other.put(&payload).await.expect("there");
    assert_eq!(messages(&js).await, before);
}

#[tokio::test]
async fn a_missing_blob_is_told_from_a_damaged_one() {
    let (_server, js) = prepared().await;
    let blobs = Blobs::new(js.clone());
    let blob = BlobRef { hash: Hash::of(b"nothing"), size_bytes: 7 };
    assert_eq!(blobs.get(blob).await, Err(BlobError::Missing(blob.hash)));

    let store = js.get_object_store(BLOBS_BUCKET).await.expect("exists");
    let name = blob.hash.to_string();
    store.put(name.as_str(), &mut &b"NOTHING"[..]).await.expect("stored");
    let error = blobs.get(blob).await.expect_err("damaged");
    assert!(matches!(&error, BlobError::Damaged { what, .. } if what.contains("hash")), "{error}");
    store.put(name.as_str(), &mut &b"more"[..]).await.expect("stored");
    let error = blobs.get(blob).await.expect_err("damaged");
    assert!(
        matches!(&error, BlobError::Damaged { what, .. } if what.contains("4 bytes")),
        "{error}"
    );
}

#[tokio::test]
async fn storing_repairs_an_object_of_another_size() {
    let (_server, js) = prepared().await;
    let payload = document(100_000);
    let blob = payload.blob().expect("large");
    let store = js.get_object_store(BLOBS_BUCKET).await.expect("exists");
    store.put(blob.hash.to_string().as_str(), &mut &b"x"[..]).await.expect("stored");
    let blobs = Blobs::new(js);
    blobs.put(&payload).await.expect("stored");
    assert_eq!(blobs.get(blob).await.expect("read"), payload);
}

#[tokio::test]
async fn lost_chunks_are_damage() {
    let (_server, js) = prepared().await;
    let blobs = Blobs::new(js.clone());
    let blob = blobs.put(&document(400_000)).await.expect("stored").expect("large");
    let stream = js.get_stream("OBJ_CADRE_BLOBS").await.expect("exists");
    let first = stream.cached_info().state.first_sequence;
    stream.delete_message(first + 1).await.expect("deleted");
    let error = Blobs::new(js).get(blob).await.expect_err("damaged");
    assert!(matches!(error, BlobError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn references_out_of_range_are_refused_without_a_look() {
    let (_server, js) = prepared().await;
    let blobs = Blobs::new(js);
    let blob = BlobRef { hash: Hash::of(b""), size_bytes: PAYLOAD_BYTES_MAX as u64 + 1 };
    assert!(matches!(blobs.get_bytes(blob).await, Err(BlobError::TooLarge { .. })));
    let much = vec![0; PAYLOAD_BYTES_MAX + 1];
    assert!(matches!(blobs.put_bytes(&much).await, Err(BusError::Refused(_))));
    let blob = blobs.put_bytes(b"no json").await.expect("stored");
    assert!(matches!(blobs.get(blob).await, Err(BlobError::Payload { .. })));
}
