//! The tools that every worker has.

use cadre_core::{
    ids::Name,
    model::{ToolAnswer, ToolRequest, ToolSpec, built_in, call_built_in},
    ports::{Clock, Tools},
    task::Failure,
};

/// `clock` and `lookup`.
#[derive(Debug, Clone)]
pub(crate) struct BuiltIns<C>(pub(crate) C);

impl<C: Clock> Tools for BuiltIns<C> {
    async fn specs(&self, names: &[Name]) -> Result<Vec<ToolSpec>, Failure> {
        Ok(names.iter().filter_map(built_in).collect())
    }

    async fn call(&self, request: ToolRequest) -> Result<ToolAnswer, Failure> {
        Ok(call_built_in(&request.call, &request.documents, self.0.time()))
    }
}
