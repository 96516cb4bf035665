//! The edge as one service: the read model, and the listener in front of it.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use cadre_core::{
    ports::{History, Packs, desk::Desk},
    webhook::port::WebhookBus,
};
use cadre_runtime::supervise::{
    Child, JobResult, Options, RestartPolicy, Snapshot, StopOrder, Supervisor,
};
use ractor::{ActorCell, SpawnErr};
use tokio::{net::TcpListener, sync::watch, time::timeout};

use crate::{
    http::{AppState, Auth, HttpOptions, router},
    listen,
    model::{ModelOptions, ModelService, ReadModel, StartError},
    webhooks,
};

/// How long requests that are under way may take when the service is to stop.
const GRACE: Duration = Duration::from_secs(3);

/// What one edge is told.
#[derive(Debug)]
pub struct EdgeOptions {
    /// Where it listens, and its limits.
    pub http: HttpOptions,
    /// Who may come in.
    pub auth: Auth,
    /// Where the read model is kept.
    pub model: ModelOptions,
}

/// Why an edge does not start.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// Everybody on the network could do everything.
    #[error(
        "listen at {0} without credentials: that is for loopback addresses alone; use 127.0.0.1, or \
         --http-auth on and `cadre token create`"
    )]
    Open(SocketAddr),
    /// Somebody else listens there, or it is no address of this machine.
    #[error("listen at {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No read model.
    #[error(transparent)]
    Model(#[from] StartError),
    /// Its supervisor does not start: the parent is stopping.
    #[error("start the edge")]
    Spawn(#[from] SpawnErr),
}

/// A running edge; stops when told to, not when dropped.
#[derive(Debug, Clone)]
pub struct EdgeService {
    supervisor: Supervisor,
    model: ModelService,
    address: SocketAddr,
    closing: watch::Sender<bool>,
    served: watch::Receiver<bool>,
}

impl EdgeService {
    /// Starts the read model and listens, under `parent` if there is one.
    ///
    /// # Errors
    /// [`EdgeError`]; nothing runs then.
    pub async fn start<H: History, P: Packs, W: WebhookBus>(
        (desk, webhooks): (Arc<dyn Desk>, Option<W>),
        ports: (H, P),
        options: EdgeOptions,
        parent: Option<ActorCell>,
    ) -> Result<Self, EdgeError> {
        let EdgeOptions { http, auth, model } = options;
        let listener = listen(http.address, &auth).await?;
        let address = listener
            .local_addr()
            .map_err(|source| EdgeError::Listen { address: http.address, source })?;
        let model = ModelService::start(ports, model, parent.clone()).await?;
        let (closing, _) = watch::channel(false);
        let read_model = model.model().clone();
        let options = http.clone();
        let state = AppState::new((desk, read_model), auth, http, closing.subscribe());
        let (done, served) = watch::channel(false);
        let (listener, done) = (Arc::new(listener), Arc::new(done));
        let sender = state.sender().cloned();
        let app = router(state, crate::pages::router());
        let http = {
            let closing = closing.clone();
            Child::job("http", move || {
                let (listener, done) = (Arc::clone(&listener), Arc::clone(&done));
                serve(listener, (app.clone(), options.clone()), closing.subscribe(), done)
            })
        };
        let webhooks = webhooks.zip(sender).map(|(bus, sender)| {
            Child::job("webhooks", move || webhooks::carry(bus.clone(), sender.clone()))
        });
        let children = [http].into_iter().chain(webhooks).collect();
        let supervision = Options {
            restarts: RestartPolicy { max: 20, ..RestartPolicy::default() },
            grace: GRACE,
            stop: StopOrder::Together,
        };
        let supervisor = Supervisor::start("edge", supervision, children, parent).await?;
        Ok(Self { supervisor, model, address, closing, served })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The read model.
    #[must_use]
    pub fn model(&self) -> &ReadModel {
        self.model.model()
    }

    /// How it is; `None` when it has stopped.
    pub async fn inspect(&self) -> Option<Snapshot> {
        self.supervisor.inspect(Duration::from_secs(1)).await
    }

    /// How its read model is; `None` when it has stopped.
    pub async fn inspect_model(&self) -> Option<Snapshot> {
        self.model.inspect().await
    }

    /// Stops it: streams end at once, other requests have a moment to end.
    pub async fn stop(&self) {
        self.closing.send_replace(true);
        // What is not done by then is dropped.
        let _ = timeout(GRACE, self.served.clone().wait_for(|is_done| *is_done)).await;
        self.supervisor.stop().await;
        self.model.stop().await;
    }
}

async fn listen(address: SocketAddr, auth: &Auth) -> Result<std::net::TcpListener, EdgeError> {
    if matches!(auth, Auth::Open { .. }) && !is_loopback(address.ip()) {
        return Err(EdgeError::Open(address));
    }
    let failed = |source| EdgeError::Listen { address, source };
    TcpListener::bind(address).await.and_then(TcpListener::into_std).map_err(failed)
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Serves until the process is to end; a failure is a restart on the same socket.
async fn serve(
    listener: Arc<std::net::TcpListener>,
    (app, options): (Router, HttpOptions),
    closing: watch::Receiver<bool>,
    done: Arc<watch::Sender<bool>>,
) -> JobResult {
    let listener = TcpListener::from_std(listener.try_clone()?)?;
    listen::serve(listener, app, &options, closing).await;
    done.send_replace(true);
    Ok(())
}
