//! The HTTP API and what serves it: listener, credentials, problems, routes.
