//! Work that is done again and again beside the server, on a thread of its own.
//!
//! Such work is a reconciler: it looks at what is, does what is due, and is safe to do twice or on two servers at once.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread::JoinHandle,
    time::Duration,
};

/// Work that repeats until this is dropped; what is under way is finished first. Drop it before the store.
#[derive(Debug)]
pub struct Repeating {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    name: &'static str,
}

impl Repeating {
    /// Does `work` every so often, and once more at the end; it is told whether it is for the last time.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub fn start(
        name: &'static str,
        every: Duration,
        mut work: impl FnMut(bool) + Send + 'static,
    ) -> std::io::Result<Repeating> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            loop {
                let last = stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout);
                work(last);
                if last {
                    return;
                }
            }
        })?;
        Ok(Repeating { stop: Some(stop), thread: Some(thread), name })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_done_again_and_once_more_at_the_end() {
        let (tell, told) = mpsc::channel();
        let every = Duration::from_millis(1);
        let work = Repeating::start("test", every, move |last| tell.send(last).unwrap()).unwrap();
        assert!(!told.recv().unwrap() && !told.recv().unwrap());
        drop(work);
        let rest: Vec<bool> = told.iter().collect();
        assert_eq!((rest.last(), rest.iter().filter(|last| **last).count()), (Some(&true), 1));
    }
}
