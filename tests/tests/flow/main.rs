//! Goals through the real services on a real nats-server.

mod pipeline;
