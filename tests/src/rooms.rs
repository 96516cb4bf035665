//! Rooms for the nodes of a cluster: a network of its own for each, and a disk that can be full.
//!
//! ```text
//!   tests, processes ── bridge "clients" ─┬─ c1 ── node 1 ── r1 ─┬─ bridge "routes"
//!                                         ├─ c2 ── node 2 ── r2 ─┤
//!                                         └─ c3 ── node 3 ── r3 ─┘
//! ```
//!
//! A room is a network namespace with two links, as a machine has two cables; pulling one is setting
//! our end of it down. Its disk is a small tmpfs. All that needs rights that a test must not ask for:
//! `make chaos` runs it inside namespaces of its own (`unshare`), and says so in `CADRE_CHAOS_ROOMS`.
//! Nothing of it is left when the last process in there has ended.

use std::{
    fs::{self, File},
    io::Write as _,
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use cadre_nats::server::{Place, StartOptions, StoreDir};
use tempfile::TempDir;

use crate::seed::number;

/// What a full disk is filled with.
const FILLER: &str = "filler";

/// A cable of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cable {
    /// To the tests and the processes.
    Clients,
    /// To the other nodes.
    Routes,
}

/// The rooms of one cluster, taken down when dropped. One at a time: their addresses are fixed.
#[derive(Debug)]
pub struct Rooms {
    folder: TempDir,
    count: usize,
}

impl Rooms {
    /// Builds `count` rooms, each with a disk of this size; `None` where that is not allowed.
    ///
    /// # Panics
    /// When it is allowed and does not work.
    #[must_use]
    pub fn build(count: usize, disk_mib: u64) -> Option<Self> {
        if number("CADRE_CHAOS_ROOMS", 0) == 0 {
            return None;
        }
        let folder = tempfile::Builder::new().prefix("cadre-rooms-").tempdir().expect("a folder");
        run("ip", &["link", "set", "lo", "up"]);
        for cable in [Cable::Clients, Cable::Routes] {
            run("ip", &["link", "add", cable.bridge(), "type", "bridge"]);
            run("ip", &["link", "set", cable.bridge(), "up"]);
        }
        let own = format!("{}/24", Cable::Clients.host(u8::MAX - 1));
        run("ip", &["addr", "add", &own, "dev", Cable::Clients.bridge()]);
        let rooms = Self { folder, count };
        for node in 0..count {
            rooms.furnish(node, disk_mib);
        }
        Some(rooms)
    }

    /// Makes a broker's nodes live here.
    pub fn settle(&self, options: &mut StartOptions) {
        options.store = StoreDir::Path(self.store());
        options.places = (0..self.count).map(|node| self.place(node, &options.binary)).collect();
    }

    /// Pulls a cable of a node's room: nothing comes or goes, and nobody is told.
    ///
    /// # Panics
    /// When that does not work.
    pub fn pull(&self, node: usize, cable: Cable) {
        run("ip", &["link", "set", &cable.end(node), "down"]);
    }

    /// Plugs it in again.
    ///
    /// # Panics
    /// When that does not work.
    pub fn plug(&self, node: usize, cable: Cable) {
        run("ip", &["link", "set", &cable.end(node), "up"]);
    }

    /// Fills a node's disk to the last byte.
    ///
    /// # Panics
    /// When it does not get full.
    pub fn fill(&self, node: usize) {
        let mut filler = File::create(self.disk(node).join(FILLER)).expect("a filler");
        let zeros = vec![0; 1024 * 1024];
        let full = loop {
            if let Err(error) = filler.write(&zeros) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    }

    /// Frees it again.
    ///
    /// # Panics
    /// When the filler cannot be removed.
    pub fn free(&self, node: usize) {
        fs::remove_file(self.disk(node).join(FILLER)).expect("a filler");
    }

    fn furnish(&self, node: usize, disk_mib: u64) {
        let net = self.net(node);
        File::create(&net).expect("a file");
        let net = text(&net);
        run("unshare", &[&format!("--net={net}"), "true"]);
        run("nsenter", &[&format!("--net={net}"), "ip", "link", "set", "lo", "up"]);
        for cable in [Cable::Clients, Cable::Routes] {
            let (end, inside) = (cable.end(node), cable.bridge());
            let link = ["link", "add", &end, "type", "veth", "peer", "name", inside, "netns", net];
            run("ip", &link);
            run("ip", &["link", "set", &end, "master", cable.bridge()]);
            run("ip", &["link", "set", &end, "up"]);
            let address = format!("{}/24", cable.host(last_byte(node)));
            let enter = format!("--net={net}");
            run("nsenter", &[&enter, "ip", "addr", "add", &address, "dev", inside]);
            run("nsenter", &[&enter, "ip", "link", "set", inside, "up"]);
        }
        let disk = self.disk(node);
        fs::create_dir_all(&disk).expect("a folder");
        let size = format!("size={disk_mib}m");
        run("mount", &["-t", "tmpfs", "-o", &size, "cadre-disk", text(&disk)]);
    }

    fn place(&self, node: usize, binary: &Path) -> Place {
        let launcher = self.folder.path().join(format!("enter-{node}"));
        let (net, binary) = (self.net(node), text(binary).to_owned());
        let script = format!("#!/bin/sh\nexec nsenter --net='{}' '{binary}' \"$@\"\n", text(&net));
        fs::write(&launcher, script).expect("a script");
        fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)).expect("a mode");
        let host = |cable: Cable| IpAddr::V4(cable.host(last_byte(node)));
        Place { launcher, host: host(Cable::Clients), route_host: host(Cable::Routes) }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Where the server keeps its streams; its log is elsewhere.
    fn disk(&self, node: usize) -> PathBuf {
        self.store().join(format!("node-{}/jetstream", node + 1))
    }

    fn net(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("net-{node}"))
    }
}

impl Drop for Rooms {
    fn drop(&mut self) {
        // Or the folder could not be removed. What fails here ends with the namespaces.
        for node in 0..self.count {
            for mounted in [self.disk(node), self.net(node)] {
                let _ = Command::new("umount").arg("-l").arg(mounted).output();
            }
            for cable in [Cable::Clients, Cable::Routes] {
                let _ = Command::new("ip").args(["link", "del", &cable.end(node)]).output();
            }
        }
        for cable in [Cable::Clients, Cable::Routes] {
            let _ = Command::new("ip").args(["link", "del", cable.bridge()]).output();
        }
    }
}

impl Cable {
    fn bridge(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Routes => "routes",
        }
    }

    /// Our end of a room's cable.
    fn end(self, node: usize) -> String {
        match self {
            Self::Clients => format!("c{node}"),
            Self::Routes => format!("r{node}"),
        }
    }

    fn host(self, last: u8) -> Ipv4Addr {
        match self {
            Self::Clients => Ipv4Addr::new(10, 77, 0, last),
            Self::Routes => Ipv4Addr::new(10, 77, 1, last),
        }
    }
}

fn last_byte(node: usize) -> u8 {
    u8::try_from(node + 1).expect("few nodes")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {said}", args.join(" "));
}
