//! What processes use, read from `/proc`.

/// Clock ticks per second of `/proc/<pid>/stat`: fixed at 100 on Linux for user space.
const TICKS_PER_S: f64 = 100.0;

/// CPU time and memory of some processes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// User and system time together.
    pub(super) cpu_s: f64,
    /// Resident memory.
    pub(super) rss_mb: f64,
}

/// What `pids` have used together until now; `None` where there is no `/proc`.
pub(super) fn usage(pids: impl IntoIterator<Item = u32>) -> Option<Usage> {
    let mut sum = Usage::default();
    for pid in pids {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The command may hold spaces; fields are counted from behind its closing bracket.
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        sum.cpu_s += (ticks(11)? + ticks(12)?) / TICKS_PER_S;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        sum.rss_mb += line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0;
    }
    Some(sum)
}
