//! Picks ports on 127.0.0.1 for a server that must find them free again after a restart.
//!
//! They are taken from below the ranges the systems use for outgoing connections: a client that keeps reconnecting to
//! a dead server's port inside that range can end up connected to itself, and then holds the port. Somebody else can
//! still take a picked port before the server binds it; the server then exits, and the caller picks again.

use std::{
    hash::{BuildHasher, RandomState},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
};

/// The first port that is picked.
const FIRST: u16 = 15_000;

/// How many ports there are to pick from: all below 32,768, where Linux begins outgoing connections.
const COUNT: u16 = 17_000;

/// How many ports are tried for one that is free.
const TRIES: u64 = 500;

/// The ports of one node, on 127.0.0.1 unless it has a place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) client: u16,
    pub(crate) monitor: u16,
    /// Where the other nodes of a cluster connect; `None` for a single server.
    pub(crate) route: Option<u16>,
    /// Where the first two are.
    pub(crate) host: IpAddr,
    /// Where the last one is.
    pub(crate) route_host: IpAddr,
}

impl Ports {
    /// None at all, on 127.0.0.1.
    pub(crate) const NONE: Self = Self {
        client: 0,
        monitor: 0,
        route: None,
        host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        route_host: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };

    /// Where the other nodes of a cluster reach it.
    pub(crate) fn route_address(&self) -> Option<SocketAddr> {
        self.route.map(|port| SocketAddr::new(self.route_host, port))
    }
}

/// Picks the ports of `count` nodes; fixed ones are taken as they are, counted up from node to node.
pub(crate) fn pick(
    count: usize,
    client: Option<u16>,
    monitor: Option<u16>,
) -> io::Result<Vec<Ports>> {
    // Held until all are picked, so that none is picked twice.
    let mut held = Vec::new();
    let mut ports = Vec::new();
    let mut step = 0;
    while ports.len() < count {
        let client = fixed_or_free(client, step, &mut held)?;
        let monitor = fixed_or_free(monitor, step, &mut held)?;
        let route = if count > 1 { Some(fixed_or_free(None, step, &mut held)?) } else { None };
        ports.push(Ports { client, monitor, route, ..Ports::NONE });
        step += 1;
    }
    Ok(ports)
}

fn fixed_or_free(fixed: Option<u16>, step: u16, held: &mut Vec<TcpListener>) -> io::Result<u16> {
    let beyond = || {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the ports counted up from the given one end at 65535",
        )
    };
    if let Some(fixed) = fixed {
        return fixed.checked_add(step).ok_or_else(beyond);
    }
    let random = RandomState::new();
    for attempt in 0..TRIES {
        let offset = random.hash_one(attempt) % u64::from(COUNT);
        let port = FIRST + u16::try_from(offset).unwrap_or(0);
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push(listener);
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port found on 127.0.0.1"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn picked_ports_differ_and_lie_below_the_outgoing_ones() {
        let ports = pick(3, None, None).expect("free ports");
        let all: BTreeSet<u16> = ports
            .iter()
            .flat_map(|one| [Some(one.client), Some(one.monitor), one.route])
            .flatten()
            .collect();
        assert_eq!(all.len(), 9);
        assert!(all.iter().all(|port| (FIRST..32_768).contains(port)));
    }

    #[test]
    fn fixed_ports_count_up_and_do_not_wrap() {
        let clients: Vec<u16> =
            pick(3, Some(4222), None).expect("ports").iter().map(|one| one.client).collect();
        assert_eq!(clients, [4222, 4223, 4224]);
        assert!(pick(3, Some(65_534), None).is_err());
    }
}
