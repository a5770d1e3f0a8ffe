//! Starts the real program and talks to it as a stranger would: over its streams and over HTTP.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// A folder that goes away with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("xiyang-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Folder(folder)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs to its end.
pub fn xiyang(args: &[&str]) -> Output {
    program(args).output().unwrap()
}

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xiyang"));
    command.args(args).env_remove("RUST_LOG");
    command
}

/// A server that is up; killed when the test forgets to end it.
pub struct Server {
    child: Child,
    pub address: String,
    log: PathBuf,
}

impl Server {
    /// Starts and waits for the ready line; the log goes to a file.
    pub fn start(args: &[&str], log: &Path) -> Server {
        Server::of(program(args), log)
    }

    /// The same for one that may open so many files.
    pub fn limited(args: &[&str], log: &Path, files: u32) -> Server {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_xiyang")]).args(args).env_remove("RUST_LOG");
        Server::of(shell, log)
    }

    fn of(mut command: Command, log: &Path) -> Server {
        let file = std::fs::File::create(log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = std::fs::read_to_string(log).unwrap();
        let address = line.trim_end().strip_prefix("ready http://");
        let address = address.unwrap_or_else(|| panic!("{line:?} is no ready line; log: {said}")).to_owned();
        Server { child, address, log: log.to_owned() }
    }

    /// Status and body of a GET.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap();
        (status, text.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
    }

    /// Asks it to end, as a service manager does; gives the exit code and the log.
    pub fn end(mut self) -> (Option<i32>, String) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let code = self.child.wait().unwrap().code();
        (code, std::fs::read_to_string(&self.log).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
