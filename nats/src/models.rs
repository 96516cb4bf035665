//! Questions to models: nobody answers them on this bus yet.

use cadre_core::{
    model::{ModelAnswer, ModelFailure, ModelRequest},
    ports::Models,
    task::{Failure, FailureKind},
    workflow::Grant,
};

use crate::bus::JetStreamBus;

impl Models for JetStreamBus {
    async fn ask(&self, _request: ModelRequest) -> Result<ModelAnswer, ModelFailure> {
        let text = "no inference gateway answers: this build has none";
        let failure = Failure::new(FailureKind::Unavailable, text);
        Err(ModelFailure { failure, cost: Grant::default(), passed: Vec::new() })
    }
}
