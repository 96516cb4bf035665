//! A connection to a broker with our streams: what commands about goals and tasks begin with.

use std::sync::Arc;

use cadre_core::{
    ids::TaskId,
    model::gateway::Part,
    ports::{BusError, LoadError, Packs as _},
    task::{Record, Task},
    time::UnixMillis,
    wish::Unfit,
    workflow::Workflow,
};
use cadre_nats::{bus::JetStreamBus, connect::Connection, packs::KvPacks};
use futures::stream::BoxStream;

use crate::{
    broker,
    exit::{Code, Failure},
    output::text::clean,
    settings::Settings,
};

/// What commands about goals and tasks work with.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) bus: JetStreamBus,
}

impl Client {
    /// Connects to the broker of the settings.
    ///
    /// # Errors
    /// [`Code::BusUnavailable`] when nobody answers, or the broker has no streams of ours.
    pub(crate) async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let connection = broker::connect_to(settings, "cli").await?;
        let bus = JetStreamBus::open(&connection).await.map_err(|error| unavailable(&error))?;
        Ok(Self { connection, bus })
    }

    /// The packs of the broker.
    ///
    /// # Errors
    /// [`Code::BusUnavailable`].
    pub(crate) async fn packs(&self) -> anyhow::Result<KvPacks> {
        let (js, topology) = (self.connection.js.clone(), self.bus.streams().topology);
        Ok(KvPacks::open(js, topology).await.map_err(|error| unavailable(&error))?)
    }

    /// The pack revision that `task` runs by; `None` when it is not to be had.
    pub(crate) async fn workflow_of(&self, task: &Task) -> Option<Arc<Workflow>> {
        let packs = self.packs().await.ok()?;
        packs.revision(&task.goal.revision).await.ok()?
    }

    /// What models say for `task`, from now on.
    ///
    /// # Errors
    /// [`Code::BusUnavailable`].
    pub(crate) async fn parts(&self, task: &TaskId) -> anyhow::Result<BoxStream<'static, Part>> {
        Ok(self.bus.parts(task).await.map_err(|error| unavailable(&error))?)
    }

    /// The whole log of `task`.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is no such task.
    pub(crate) async fn log(&self, task: &TaskId) -> anyhow::Result<Vec<Record>> {
        let loaded = self.bus.read_log(task).await.map_err(|error| match &error {
            LoadError::Bus(error) => anyhow::Error::from(unavailable(error)),
            LoadError::Damaged { .. } | LoadError::TooNew { .. } => error.into(),
        })?;
        if loaded.records.is_empty() {
            return Err(no_task(task).into());
        }
        Ok(loaded.records)
    }

    /// Where `task` stands.
    ///
    /// # Errors
    /// As [`Self::log`].
    pub(crate) async fn task(&self, task: &TaskId) -> anyhow::Result<Task> {
        Self::replayed(task, &self.log(task).await?)
    }

    /// Where `task` stands after these records of its log.
    ///
    /// # Errors
    /// [`Code::NotFound`] when they do not begin with a goal.
    pub(crate) fn replayed(task: &TaskId, records: &[Record]) -> anyhow::Result<Task> {
        Task::replay(records).ok_or_else(|| no_task(task).into())
    }
}

/// The broker's time now: every deadline is meant on its clock, whatever this machine's says.
pub(crate) fn now(bus: &JetStreamBus) -> UnixMillis {
    bus.streams().clock.now()
}

/// The bus is not there, or not ours.
pub(crate) fn unavailable(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Code::BusUnavailable, error.to_string())
}

/// A wish could not be sent: it is none, or the bus is not there.
pub(crate) fn refused_or_unavailable(error: &BusError) -> Failure {
    match error {
        BusError::Refused(why) => Failure::new(Code::Usage, why.clone()),
        BusError::Unavailable(_) => unavailable(error),
    }
}

/// Something that was asked for cannot be.
pub(crate) fn unfit(error: &Unfit) -> Failure {
    let code = match error {
        Unfit::NotFound(_) => Code::NotFound,
        Unfit::Invalid(_) => Code::Usage,
        Unfit::Input { .. } => Code::Rejected,
        Unfit::Refused(_) => Code::Refused,
    };
    Failure::new(code, clean(&error.to_string()))
}

fn no_task(task: &TaskId) -> Failure {
    let text = format!("there is no task {task} on this broker: see `cadre task ls`");
    Failure::new(Code::NotFound, text)
}

/// A task id from the command line.
///
/// # Errors
/// [`Code::NotFound`]: nothing that is no id can be a task.
pub(crate) fn task_id(text: &str) -> Result<TaskId, Failure> {
    TaskId::parse(text).map_err(|error| Failure::new(Code::NotFound, error.to_string()))
}
