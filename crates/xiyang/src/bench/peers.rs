//! The peers: the same life cycle as SQL in pgbench, and as a FastAPI application, both on a private PostgreSQL whose
//! data lie beside ours and which syncs every commit as ours does.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use city::cluster::Durable;

use super::{
    cycle::Peer,
    load::{self, Seen},
    server::terminate,
};

const SCHEMA: &str = include_str!("../../../../bench/orders.schema.sql");
const PGBENCH: &str = include_str!("../../../../bench/orders.pgbench.sql");
const FASTAPI: &str = include_str!("../../../../bench/peers/fastapi_orders.py");

/// Elders and carers of the peers' database. More than ours, so that rows are seldom fought over.
const ELDERS: u32 = 100_000;
const CARERS: u32 = 5_000;
/// Server processes of the peer: one a core, as is usual for it.
const WORKERS: &str = "2";

/// PostgreSQL with the peers' tables.
pub(super) struct Postgres {
    server: Durable,
    folder: PathBuf,
}

impl Postgres {
    pub(super) fn start(folder: &Path) -> Result<Postgres, String> {
        let server = Durable::start(&folder.join("postgres")).map_err(|e| e.to_string())?;
        let folder = folder.to_owned();
        let schema = folder.join("schema.sql");
        std::fs::write(&schema, SCHEMA).map_err(|e| e.to_string())?;
        let mut psql = server.program("psql");
        psql.args(["-q", "-X", "-v", "ON_ERROR_STOP=1"])
            .args(["-v", &format!("elders={ELDERS}"), "-v", &format!("carers={CARERS}")])
            .arg("-f")
            .arg(&schema)
            .arg(server.address());
        said(&mut psql)?;
        Ok(Postgres { server, folder })
    }

    /// Cycles a second of the bare SQL with so many connections.
    pub(super) fn pgbench(&self, connections: usize, lasts: Duration) -> Result<f64, String> {
        let script = self.folder.join("pgbench.sql");
        std::fs::write(&script, PGBENCH).map_err(|e| e.to_string())?;
        let mut pgbench = self.server.program("pgbench");
        pgbench
            .args(["-n", "-M", "prepared", "-j", "2", "-c", &connections.to_string()])
            .args(["-T", &lasts.as_secs().max(1).to_string()])
            .args(["-D", &format!("elders={ELDERS}"), "-D", &format!("carers={CARERS}")])
            .arg("-f")
            .arg(&script)
            .arg(self.server.address());
        let text = said(&mut pgbench)?;
        let tps = text.lines().find_map(|l| l.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        tps.ok_or_else(|| format!("pgbench told no figure: {text}"))
    }

    /// The FastAPI application under the same client as ours.
    pub(super) fn fastapi(&self, python: &Path, connections: usize, lasts: Duration) -> Result<Seen, String> {
        let script = self.folder.join("fastapi_orders.py");
        std::fs::write(&script, FASTAPI).map_err(|e| e.to_string())?;
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(|e| e.to_string())?.port();
        let child = Command::new(python)
            .arg(&script)
            .args([&port.to_string(), WORKERS])
            .env("BENCH_DATABASE", self.server.address())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let _child = Ended(child);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let began = Instant::now();
        // A connection that is taken says only that the launcher listens; the warm-up waits for the workers.
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > Duration::from_secs(20) {
                return Err("the FastAPI peer did not start".to_owned());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let drive = |seed, lasts| {
            load::drive(address, Peer::clients(ELDERS, CARERS, connections, seed), lasts)
                .map_err(|e| e.to_string())
        };
        drive(1, Duration::from_secs(2))?;
        drive(2, lasts)
    }
}

/// A Python with what the FastAPI peer needs.
pub(super) fn python() -> Result<PathBuf, String> {
    let told = std::env::var_os("XIYANG_PEER_PYTHON").filter(|p| !p.is_empty());
    let python = PathBuf::from(told.unwrap_or_else(|| "python3".into()));
    let needs = "import asyncpg, fastapi, uvicorn";
    let found = Command::new(&python).args(["-c", needs]).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        Ok(python)
    } else {
        Err("no Python with fastapi, uvicorn and asyncpg; name one in XIYANG_PEER_PYTHON".to_owned())
    }
}

/// A process that is asked to end when this is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        terminate(&self.0);
        let _ = self.0.wait();
    }
}

/// What a program that must succeed wrote.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("{:?}: {e}", command.get_program()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{:?}: {}", command.get_program(), String::from_utf8_lossy(&output.stderr)))
    }
}
