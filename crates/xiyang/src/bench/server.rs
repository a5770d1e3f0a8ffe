//! The real program as a process of its own, as a stranger would start it.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use domain::time::At;

use crate::complaint::Complaint;

/// In which the kernel tells times of processes, on every machine Linux runs on for us.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running `xiyang serve`; ended when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

/// This program.
pub(super) fn program() -> Result<Command, Complaint> {
    let path = std::env::current_exe().map_err(|e| Complaint::file("xiyang".as_ref(), &e))?;
    Ok(Command::new(path))
}

impl Server {
    /// Starts it on a data folder, with its clock at this moment, and waits until it answers.
    pub(super) fn start(data: &Path, clock: At) -> Result<Server, Complaint> {
        Server::start_with(data, clock, &[])
    }

    /// The same with more arguments.
    pub(super) fn start_with(data: &Path, clock: At, more: &[&str]) -> Result<Server, Complaint> {
        let mut command = program()?;
        command.args(["serve", "--listen", "127.0.0.1:0", "--clock", &clock.rfc3339(), "--data"]).arg(data);
        Server::of(command.args(more))
    }

    /// Starts the demo city of a folder, which makes it first where it is not there yet.
    pub(super) fn demo(data: &Path, people: u32) -> Result<Server, Complaint> {
        Server::demo_with(data, people, &[])
    }

    /// The same with more arguments.
    pub(super) fn demo_with(data: &Path, people: u32, more: &[&str]) -> Result<Server, Complaint> {
        let mut command = program()?;
        let people = people.to_string();
        command.args(["demo", "--quiet", "--listen", "127.0.0.1:0", "--people", &people, "--data"]).arg(data);
        Server::of(command.args(more))
    }

    fn of(command: &mut Command) -> Result<Server, Complaint> {
        let fail = |e: std::io::Error| Complaint::file("xiyang".as_ref(), &e);
        let mut child = command.env("RUST_LOG", "warn").stdout(Stdio::piped()).spawn().map_err(fail)?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(fail)?;
        }
        let address = line.trim_end().strip_prefix("ready http://").and_then(|a| a.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Complaint::new("被测的服务没有启动", "the server to be measured did not start"));
        };
        Ok(Server { child, address })
    }

    /// The most memory it ever held, the pages of its files that the system keeps for it included.
    pub(super) fn memory_mib(&self) -> f64 {
        memory_mib(self.child.id())
    }

    /// Seconds its threads have computed so far: unlike times on the clock, the same on a busy machine.
    pub(super) fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // The name of the program may hold spaces; the numbers follow its closing bracket.
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        let ticks = fields.split(' ').skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum::<f64>();
        ticks / TICKS_PER_SECOND
    }

    /// Asks it to end and waits, so that everything is in its files.
    pub(super) fn end(mut self) -> bool {
        terminate(&self.child);
        self.child.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks a process to end, as a service manager does; the standard library can only kill.
pub(super) fn terminate(child: &Child) {
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
}

/// The most memory a process ever held; 0 when it is gone.
pub(super) fn memory_mib(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
