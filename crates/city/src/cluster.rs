//! A private PostgreSQL for tests: one for the machine, started by whichever test needs it first.
//!
//! It lies in the temporary folder, listens on the loopback only, keeps nothing safe (`fsync=off`) and stops by itself
//! after half an hour in which no test asked for a database. PostgreSQL refuses to run as root, so there it runs as
//! `postgres` or `nobody`.
//!
//! `XIYANG_TEST_POSTGRES=postgres://user@host/db` uses a server that is there already; `XIYANG_PG_BIN` names the
//! folder of the programs when they are in no usual place.

use std::{
    fs::{File, Permissions},
    net::TcpListener,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use postgres::{Client, NoTls};

/// The oldest PostgreSQL the store supports.
const VERSION_MIN: u32 = 15;
/// How long a new server may take until it answers.
const START_MAX: Duration = Duration::from_secs(60);

/// Why there is no PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum ClusterFault {
    /// The programs are not installed.
    #[error(
        "PostgreSQL {VERSION_MIN} or newer is not installed: `make setup` or `apt-get install postgresql`, or set \
         XIYANG_TEST_POSTGRES"
    )]
    NotInstalled,
    /// Something went wrong on the way.
    #[error("the test PostgreSQL: {0}")]
    Failed(String),
}

impl From<std::io::Error> for ClusterFault {
    fn from(error: std::io::Error) -> Self {
        ClusterFault::Failed(error.to_string())
    }
}

impl From<postgres::Error> for ClusterFault {
    fn from(error: postgres::Error) -> Self {
        let said = error.as_db_error().map(|db| db.message().to_owned());
        ClusterFault::Failed(said.unwrap_or_else(|| error.to_string()))
    }
}

/// An empty database of its own; dropped when this is dropped.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// `postgres://…`, for a store to open.
    pub fn url(&self) -> String {
        with_name(&self.server, &self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that is gone has forgotten the database, too.
        if let Ok(mut client) = Client::connect(&self.server, NoTls) {
            let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

/// Makes a fresh database, starting the server when none answers.
///
/// # Errors
/// When PostgreSQL is not installed or does not start.
pub fn database() -> Result<Database, ClusterFault> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = match std::env::var("XIYANG_TEST_POSTGRES") {
        Ok(address) if !address.is_empty() => address,
        _ => server()?,
    };
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("xiyang_{}_{}_{n}", std::process::id(), since.as_nanos());
    Client::connect(&server, NoTls)?.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))?;
    Ok(Database { server, name })
}

/// A server of its own in a folder, as durable as PostgreSQL is by default; ended when this is dropped. For measuring.
#[derive(Debug)]
pub struct Durable {
    address: String,
    data: PathBuf,
    bin: PathBuf,
}

impl Durable {
    /// Makes and starts one; `folder` must not exist yet. The server's user must be able to enter what lies above it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start(folder: &Path) -> Result<Durable, ClusterFault> {
        std::fs::create_dir(folder)?;
        let bin = programs()?;
        let address = make(folder, &bin, "-c shared_buffers=256MB -c max_connections=200")?;
        Ok(Durable { address, data: folder.join("data"), bin })
    }

    /// `postgres://…`
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A program that came with the server, such as `pgbench`.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.env_remove("PGDATA").env("LC_ALL", "C");
        command
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        if let Ok(owner) = Owner::find() {
            let stop = ["stop", "-s", "-m", "fast", "-D"];
            let _ = owner.run(&self.bin.join("pg_ctl")).args(stop).arg(&self.data).output();
        }
    }
}

/// The address of the machine's test server, started if need be. One process at a time looks.
fn server() -> Result<String, ClusterFault> {
    let folder = std::env::temp_dir().join(format!("xiyang-test-postgres-{}", own_user()?));
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let (note, used) = (folder.join("address"), folder.join("used"));
    // Touched first: the watcher leaves a server alone that was asked for of late.
    File::create(&used)?.set_modified(std::time::SystemTime::now())?;
    if let Ok(address) = std::fs::read_to_string(&note)
        && Client::connect(&address, NoTls).is_ok()
    {
        return Ok(address);
    }
    let address = start(&folder)?;
    std::fs::write(&note, &address)?;
    Ok(address)
}

/// Makes a new cluster in the place of any old one and starts it.
fn start(folder: &Path) -> Result<String, ClusterFault> {
    let bin = programs()?;
    let unsafely = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=600 \
        -c shared_buffers=64MB -c autovacuum=off";
    let address = make(folder, &bin, unsafely)?;
    watch(folder, &folder.join("data"), &bin, &Owner::find()?)?;
    Ok(address)
}

/// Makes a cluster in `folder/data`, in the place of any old one, and starts it with these settings.
fn make(folder: &Path, bin: &Path, settings: &str) -> Result<String, ClusterFault> {
    let data = folder.join("data");
    let owner = Owner::find()?;
    if data.exists() {
        // What is left of a server that was killed may still hold its files open.
        let _ = owner.run(&bin.join("pg_ctl")).args(["stop", "-m", "immediate", "-D"]).arg(&data).output();
        std::fs::remove_dir_all(&data)?;
    }
    std::fs::create_dir(&data)?;
    std::fs::set_permissions(&data, Permissions::from_mode(0o700))?;
    std::fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    if let Some((user, group)) = owner.0 {
        chown(&data, Some(user), Some(group))?;
    }
    let made = owner
        .run(&bin.join("initdb"))
        .args(["-U", "xiyang", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
        .arg(&data)
        .output()?;
    succeeded("initdb", &made)?;

    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let settings = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c log_min_messages=fatal {settings}"
    );
    let began = owner
        .run(&bin.join("pg_ctl"))
        .args(["start", "-W", "-s", "-o", &settings, "-l"])
        .arg(data.join("log"))
        .arg("-D")
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if !began.success() {
        return Err(ClusterFault::Failed(format!("pg_ctl start ended with {began}")));
    }
    let address = format!("postgres://xiyang@127.0.0.1:{port}/postgres");
    wait_until_it_answers(&address, &data)?;
    Ok(address)
}

fn wait_until_it_answers(address: &str, data: &Path) -> Result<(), ClusterFault> {
    let begun = Instant::now();
    while let Err(error) = Client::connect(address, NoTls) {
        if begun.elapsed() > START_MAX {
            let log = std::fs::read_to_string(data.join("log")).unwrap_or_default();
            return Err(ClusterFault::Failed(format!("does not answer ({error}): {log}")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Leaves a shell behind that stops the server, without cutting anybody off, once nobody has asked for half an hour.
fn watch(folder: &Path, data: &Path, bin: &Path, owner: &Owner) -> Result<(), ClusterFault> {
    let script = "cd / && while sleep 60; do \
        [ -n \"$(find \"$1\" -mmin -30)\" ] || exec \"$2\" stop -s -m smart -t 86400 -D \"$3\"; \
        [ -e \"$3/postmaster.pid\" ] || exit 0; done";
    let mut shell = owner.run(Path::new("/bin/sh"));
    shell.args(["-c", script, "xiyang-test-postgres"]);
    shell.arg(folder.join("used")).arg(bin.join("pg_ctl")).arg(data);
    let mut child = shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // It outlives us on purpose; a thread waits for it only so that it is no zombie meanwhile.
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// As whom the server runs: `None` for ourselves, an unprivileged user and group when we are root.
struct Owner(Option<(u32, u32)>);

impl Owner {
    fn find() -> Result<Owner, ClusterFault> {
        if own_user()? != 0 {
            return Ok(Owner(None));
        }
        let users = std::fs::read_to_string("/etc/passwd")?;
        let ids = |name: &str| {
            let line = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let mut fields = line.split(':').skip(1);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        match ids("postgres").or_else(|| ids("nobody")) {
            Some(ids) => Ok(Owner(Some(ids))),
            None => Err(ClusterFault::Failed("there is neither a user `postgres` nor `nobody`".into())),
        }
    }

    /// A command that runs as this user, away from our folder, which it may be unable to enter.
    fn run(&self, program: &Path) -> Command {
        let mut command = match self.0 {
            None => Command::new(program),
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={user}"), format!("--regid={group}")]);
                command.arg("--clear-groups").arg("--").arg(program);
                command
            }
        };
        command.current_dir("/").env_remove("PGDATA").env("LC_ALL", "C");
        command
    }
}

fn own_user() -> Result<u32, ClusterFault> {
    Ok(std::fs::metadata("/proc/self")?.uid())
}

/// The folder with `initdb`, `postgres` and `pg_ctl` of a version that will do: the newest there is.
fn programs() -> Result<PathBuf, ClusterFault> {
    let told = std::env::var_os("XIYANG_PG_BIN").map(PathBuf::from);
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|v| v.path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    told.into_iter()
        .chain(debian.into_iter().rev())
        .chain(std::env::split_paths(&path))
        .find(|bin| {
            ["initdb", "pg_ctl"].iter().all(|name| bin.join(name).exists())
                && version(bin).is_some_and(|v| v >= VERSION_MIN)
        })
        .ok_or(ClusterFault::NotInstalled)
}

/// The major version: 15 of `postgres (PostgreSQL) 15.7 (Debian 15.7-0+deb12u1)`.
fn version(bin: &Path) -> Option<u32> {
    let said = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    said.split(") ").nth(1)?.split(['.', ' ']).next()?.trim().parse().ok()
}

fn succeeded(what: &str, output: &Output) -> Result<(), ClusterFault> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(ClusterFault::Failed(format!("{what} ended with {}: {said}", output.status)))
}

/// The same address with another database name.
fn with_name(address: &str, name: &str) -> String {
    let (address, question) = address.split_once('?').map_or((address, None), |(a, q)| (a, Some(q)));
    let start = address.find("://").map_or(0, |at| at + 3);
    let end = address[start..].find('/').map_or(address.len(), |at| start + at);
    let question = question.map(|q| format!("?{q}")).unwrap_or_default();
    format!("{}/{name}{question}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_the_database_is_exchanged() {
        assert_eq!(with_name("postgres://u:p@h:1/a?x=/y", "b"), "postgres://u:p@h:1/b?x=/y");
        assert_eq!(with_name("postgres://u@h", "b"), "postgres://u@h/b");
    }
}
