//! One signal that everything in the process ends by, and the wait until it has.
//!
//! Clones share the signal. Whoever must finish something first takes a [`Hold`];
//! [`Shutdown::drain`] waits for the holds, and for no longer than it was told.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::timeout,
};

use crate::task;

/// How urgent the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// No end in sight.
    Running,
    /// Finish what is begun, begin nothing.
    Draining,
    /// Asked a second time: leave everything as it is.
    Forced,
}

/// The process's end; cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    phase: watch::Sender<Phase>,
    holds: watch::Sender<usize>,
}

/// Keeps [`Shutdown::drain`] waiting until dropped.
#[derive(Debug)]
pub struct Hold(Arc<Inner>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.holds.send_modify(|holds| *holds = holds.saturating_sub(1));
    }
}

/// The holds that were left when the wait was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{left} parts of the process did not finish in time")]
pub struct Undrained {
    /// How many.
    pub left: usize,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// Makes a signal that nobody has given yet.
    #[must_use]
    pub fn new() -> Self {
        let (phase, holds) = (watch::Sender::new(Phase::Running), watch::Sender::new(0));
        Self(Arc::new(Inner { phase, holds }))
    }

    /// Makes Ctrl-C and SIGTERM give the signal, and force it when they come again.
    ///
    /// # Errors
    /// When the process cannot listen to signals.
    pub fn listen(&self) -> io::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let shutdown = self.clone();
        let listener = async move {
            for phase in [Phase::Draining, Phase::Forced] {
                let name = tokio::select! {
                    _ = interrupt.recv() => "interrupt",
                    _ = terminate.recv() => "terminate",
                };
                tracing::info!(signal = name, ?phase, "shutdown requested");
                shutdown.advance(phase);
            }
        };
        drop(task::spawn("signals", listener));
        Ok(())
    }

    /// Gives the signal; again is no news.
    pub fn trigger(&self) {
        self.advance(Phase::Draining);
    }

    fn advance(&self, to: Phase) {
        self.0.phase.send_if_modified(|phase| {
            let is_news = *phase < to;
            *phase = (*phase).max(to);
            is_news
        });
    }

    /// How urgent the end is now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.0.phase.borrow()
    }

    /// Waits for the signal; returns at once when it was given before.
    pub async fn triggered(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Waits until the end is forced.
    pub async fn forced(&self) {
        self.reached(Phase::Forced).await;
    }

    async fn reached(&self, wanted: Phase) {
        // Cannot fail: we hold the sender.
        drop(self.0.phase.subscribe().wait_for(|phase| *phase >= wanted).await);
    }

    /// Takes part in the end: [`Self::drain`] waits until the result is dropped.
    #[must_use]
    pub fn hold(&self) -> Hold {
        self.0.holds.send_modify(|holds| *holds += 1);
        Hold(Arc::clone(&self.0))
    }

    /// Gives the signal and waits for all holds, at most `within`, or until forced.
    ///
    /// # Errors
    /// [`Undrained`] when some are left.
    pub async fn drain(&self, within: Duration) -> Result<(), Undrained> {
        self.trigger();
        let mut holds = self.0.holds.subscribe();
        let finished = async {
            tokio::select! {
                freed = holds.wait_for(|holds| *holds == 0) => freed.is_ok(),
                () = self.forced() => false,
            }
        };
        if timeout(within, finished).await == Ok(true) {
            return Ok(());
        }
        Err(Undrained { left: *self.0.holds.borrow() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn every_clone_sees_the_signal_however_late_it_asks() {
        let shutdown = Shutdown::new();
        let early = task::spawn("early", {
            let shutdown = shutdown.clone();
            async move { shutdown.triggered().await }
        });
        assert_eq!(shutdown.phase(), Phase::Running);
        shutdown.clone().trigger();
        early.await.unwrap();
        shutdown.triggered().await;
        assert_eq!(shutdown.phase(), Phase::Draining);
    }

    #[tokio::test(start_paused = true)]
    async fn draining_waits_for_holds_and_no_longer() {
        let shutdown = Shutdown::new();
        let hold = shutdown.hold();
        assert_eq!(shutdown.drain(LONG).await, Err(Undrained { left: 1 }));
        let waiting = task::spawn("drain", {
            let shutdown = shutdown.clone();
            async move { shutdown.drain(LONG).await }
        });
        tokio::task::yield_now().await;
        drop(hold);
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_request_ends_the_wait() {
        let shutdown = Shutdown::new();
        let _hold = shutdown.hold();
        shutdown.advance(Phase::Forced);
        let before = tokio::time::Instant::now();
        assert_eq!(shutdown.drain(LONG).await, Err(Undrained { left: 1 }));
        assert_eq!(tokio::time::Instant::now(), before);
    }
}
