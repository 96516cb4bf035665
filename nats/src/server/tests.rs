//! Tests against real processes: the find order and the cache in `finding`, the server's life in `running`.

mod finding;
mod running;
