//! Real processes: killed, frozen, followed through a trace, written in another language.
//!
//! No goal is lost, and no step is accepted twice.

mod arena;
mod attributes;
mod broker;
mod clumsy;
mod cluster;
mod demo;
mod orchestrators;
mod python;
mod replicas;
mod seeded;
mod storm;
mod trace;
mod unclear;
mod workers;
