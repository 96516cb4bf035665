//! The dashboard: pages rendered on the server out of the read model.
