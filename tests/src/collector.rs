//! A collector of traces and figures: keeps what it gets by OTLP.

use opentelemetry_proto::tonic::collector::{
    metrics::v1::{
        ExportMetricsServiceRequest, ExportMetricsServiceResponse,
        metrics_service_server::{MetricsService, MetricsServiceServer},
    },
    trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
};
use tokio::{net::TcpListener, sync::mpsc};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

struct Receiver(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send(request.into_inner()).expect("the test listens");
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

struct Meter(mpsc::UnboundedSender<ExportMetricsServiceRequest>);

#[tonic::async_trait]
impl MetricsService for Meter {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.0.send(request.into_inner()).expect("the test listens");
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

/// What a collector has got.
#[derive(Debug)]
pub struct Collector {
    /// Where it listens.
    pub endpoint: String,
    /// Spans, as they came.
    pub spans: mpsc::UnboundedReceiver<ExportTraceServiceRequest>,
    /// Figures, as they came.
    pub metrics: mpsc::UnboundedReceiver<ExportMetricsServiceRequest>,
}

impl Collector {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, spans) = mpsc::unbounded_channel();
        let (meter, metrics) = mpsc::unbounded_channel();
        let server = Server::builder().add_service(TraceServiceServer::new(Receiver(sender)));
        let server = server.add_service(MetricsServiceServer::new(Meter(meter)));
        let server = server.serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(async move { server.await.expect("a receiver") });
        Self { endpoint, spans, metrics }
    }
}
