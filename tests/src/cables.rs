//! Cables between the nodes of a cluster that can be pulled where no namespaces may be made: each node
//! reaches each other one through a proxy of ours. One that is pulled passes nothing on and says so to nobody.
//!
//! ```text
//!   node 1 ──► proxy 1→2 ──► node 2        and back by proxy 2→1: a route is made by either side
//! ```
//!
//! The brokers tell each other an address where nobody is, so that no route goes around the proxies. Less than
//! [`crate::rooms`] can do: clients always reach every node, and no disk gets full.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use cadre_nats::server::{Place, StartOptions};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

/// Where nobody listens.
const NOWHERE: &str = "127.0.0.1:1";

/// The cables between the nodes of one cluster.
#[derive(Debug)]
pub struct Cables {
    folder: TempDir,
    proxies: Vec<Proxy>,
    count: usize,
}

/// The way from one node to another.
#[derive(Debug)]
struct Proxy {
    from: usize,
    to: usize,
    address: SocketAddr,
    is_pulled: watch::Sender<bool>,
}

impl Cables {
    /// Lays a cable from each of `count` nodes to each other one.
    ///
    /// # Panics
    /// When there are no ports.
    #[must_use]
    pub fn lay(count: usize) -> Self {
        let folder = tempfile::Builder::new().prefix("cadre-cables-").tempdir().expect("a folder");
        let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        let pairs = pairs.filter(|(from, to)| from != to);
        let target = |to: usize| target(folder.path(), to);
        let proxies = pairs.map(|(from, to)| Proxy::open((from, to), target(to))).collect();
        Self { folder, proxies, count }
    }

    /// Makes a broker's nodes reach each other by them.
    ///
    /// # Panics
    /// When a file cannot be written.
    pub fn settle(&self, options: &mut StartOptions) {
        options.places = (0..self.count).map(|node| self.place(node, &options.binary)).collect();
    }

    /// Pulls every cable of a node.
    pub fn pull(&self, node: usize) {
        for proxy in self.of(node) {
            proxy.is_pulled.send_replace(true);
        }
    }

    /// Plugs them in again.
    pub fn plug(&self, node: usize) {
        for proxy in self.of(node) {
            proxy.is_pulled.send_replace(false);
        }
    }

    fn of(&self, node: usize) -> impl Iterator<Item = &Proxy> {
        self.proxies.iter().filter(move |proxy| proxy.from == node || proxy.to == node)
    }

    /// A node whose server says where it can be reached, and reaches the others by the proxies.
    fn place(&self, node: usize, binary: &Path) -> Place {
        let own = self.proxies.iter().filter(|proxy| proxy.from == node);
        let routes: Vec<_> = own.map(|proxy| format!("nats://{}", proxy.address)).collect();
        let launcher = self.folder.path().join(format!("start-{node}"));
        let (binary, target) = (binary.display(), target(self.folder.path(), node));
        let script = format!(
            "#!/bin/sh\n\
             sed -n 's/^  listen: \"\\(.*\\)\"$/\\1/p' \"$2\" > '{target}.new'\n\
             mv '{target}.new' '{target}'\n\
             exec '{binary}' \"$@\" --cluster_advertise {NOWHERE} --routes {routes}\n",
            target = target.display(),
            routes = routes.join(","),
        );
        fs::write(&launcher, script).expect("a script");
        fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)).expect("a mode");
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Place { launcher, host, route_host: host }
    }
}

/// The file that says where a node listens for the others.
fn target(folder: &Path, node: usize) -> PathBuf {
    folder.join(format!("route-{node}"))
}

impl Proxy {
    fn open((from, to): (usize, usize), target: PathBuf) -> Self {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.set_nonblocking(true).expect("non-blocking");
        let address = listener.local_addr().expect("bound");
        let listener = TcpListener::from_std(listener).expect("a listener");
        let (is_pulled, cable) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(connect(near, target.clone(), cable.clone()));
            }
        });
        Self { from, to, address, is_pulled }
    }
}

/// Passes on what comes from either side until one of them hangs up.
async fn connect(near: TcpStream, target: PathBuf, mut cable: watch::Receiver<bool>) {
    // What is begun while the cable is out waits for it.
    if cable.wait_for(|is_pulled| !is_pulled).await.is_err() {
        return;
    }
    let Ok(target) = fs::read_to_string(&target) else { return };
    let Ok(far) = TcpStream::connect(target.trim()).await else { return };
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pass(near_in, far_out, cable.clone()) => {}
        () = pass(far_in, near_out, cable) => {}
    }
}

async fn pass(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut cable: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        if cable.wait_for(|is_pulled| !is_pulled).await.is_err() {
            return;
        }
        let Some(bytes) = buffer.get(..read) else { return };
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Reads one byte, if one comes soon.
    async fn byte(socket: &mut TcpStream) -> Option<u8> {
        timeout(Duration::from_millis(200), socket.read_u8()).await.ok().map(|it| it.expect("open"))
    }

    #[tokio::test]
    async fn a_pulled_cable_is_silent_and_loses_nothing() {
        let cables = Cables::lay(2);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        fs::write(target(cables.folder.path(), 1), address).expect("written");
        let way = &cables.proxies.iter().find(|proxy| proxy.to == 1).expect("a way").address;
        let mut near = TcpStream::connect(way).await.expect("connected");
        let (mut far, _) = listener.accept().await.expect("accepted");
        near.write_u8(1).await.expect("sent");
        assert_eq!(byte(&mut far).await, Some(1));
        cables.pull(0);
        near.write_u8(2).await.expect("sent");
        far.write_u8(3).await.expect("sent");
        assert_eq!((byte(&mut far).await, byte(&mut near).await), (None, None));
        cables.plug(0);
        let patience = Duration::from_secs(30);
        assert_eq!(timeout(patience, far.read_u8()).await.expect("in time").expect("open"), 2);
        assert_eq!(timeout(patience, near.read_u8()).await.expect("in time").expect("open"), 3);
    }
}
