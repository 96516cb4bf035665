//! The harness of the tests: a real broker of their own, packs written inline, the services in
//! this process or as processes of the real binary.

pub mod aimock;
pub mod alerts;
pub mod bed;
pub mod books;
pub mod cables;
pub mod collector;
pub mod decisions;
pub mod fuzz;
pub mod gate;
pub mod hand;
pub mod llama;
pub mod next;
pub mod npm;
pub mod packs;
pub mod payment;
pub mod phoenix;
pub mod plain;
pub mod process;
pub mod prometheus;
pub mod python;
pub mod raw;
pub mod receiver;
pub mod rooms;
pub mod schemathesis;
pub mod seed;
pub mod shell;
pub mod sim;
pub mod skew;
pub mod stand_in;
pub mod stumble;
pub mod tools;
pub mod verdict;
