//! Work that is done again and again beside the server, on a thread of its own.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread::JoinHandle,
    time::Duration,
};

/// Work that repeats until this is dropped; a step under way is finished first.
pub(crate) struct Repeating {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    name: &'static str,
}

impl Repeating {
    /// Does `work` every so often.
    pub(crate) fn start(
        name: &'static str,
        every: Duration,
        mut work: impl FnMut() + Send + 'static,
    ) -> Repeating {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                work();
            }
        });
        Repeating { stop: Some(stop), thread: Some(thread), name }
    }
}

impl Drop for Repeating {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(worker = self.name, "a worker had broken down");
        }
    }
}
