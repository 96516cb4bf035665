//! The topology on a real server.
