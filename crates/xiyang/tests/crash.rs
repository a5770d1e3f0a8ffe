//! The program killed again and again under load: what it said it had done is done, and done once.
//!
//! Clients lead orders through their life with idempotency keys and write down every answer. The server is killed at
//! random moments and started again; a request without an answer is sent again under its key. At the end the data must
//! be exactly what the clients wrote down.

#![expect(clippy::unwrap_used, reason = "a test that finds anything unexpected has failed")]

#[expect(dead_code, reason = "other tests use the rest of it")]
mod common;

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use app::{
    ledger,
    orders::{self, Filter},
    store::{Fault, IdSource, Place, Store, Vault},
};
use city::town::{self, SERVICE, Town, VISIT_MINUTES};
use common::{Folder, Server, xiyang};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, OrderId},
    ledger::TransferKind,
    orders::OrderState,
    regions::RegionRange,
    time::{At, Now},
};
use serde_json::{Value, json};

const KEY: [u8; 32] = [0x42; 32];
const CLIENTS: usize = 12;
const STEPS: [&str; 5] = ["", "/assignment", "/check-in", "/check-out", "/settlement"];
/// What an order is after each step.
const STATES: [OrderState; 5] = [
    OrderState::Placed,
    OrderState::Accepted,
    OrderState::InService,
    OrderState::Confirmed,
    OrderState::Settled,
];
/// What the pack charges for the visit.
const PRICE_FEN: i64 = 300;

/// What a client was told of one order.
#[derive(Debug, Clone, Copy)]
struct Told {
    id: OrderId,
    /// How many steps were acknowledged, from one.
    steps: usize,
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_20_kills() {
    survive(20);
}

#[test]
#[ignore = "takes several minutes; XIYANG_KILLS says how many kills, 100 unless told"]
fn nothing_acknowledged_is_lost_or_doubled_by_many_kills() {
    let kills = std::env::var("XIYANG_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
    survive(kills);
}

fn survive(kills: usize) {
    let folder = Folder::new(&format!("crash-{kills}"));
    let data = folder.0.join("data");
    make_keys(&data.join("keys"));
    let opens = At::parse("2026-11-21T10:00").unwrap();
    let town = Arc::new(town::found(&store(&data), 20 + kills, "crash", Now(opens)).unwrap());
    let began = Instant::now();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // Cut to whole seconds: at each start the server's clock is set back a little, as clocks are.
    let clock = move || opens.plus_seconds(began.elapsed().as_secs() as i64);
    let log = folder.0.join("log");
    let start = || {
        let (listen, clock) = (address.to_string(), clock().rfc3339());
        let data = data.to_str().unwrap();
        Server::start(&["serve", "--data", data, "--listen", &listen, "--clock", &clock], &log)
    };

    let (over, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut server = start();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (town, over, next) = (Arc::clone(&town), Arc::clone(&over), Arc::clone(&next));
            std::thread::spawn(move || client(address, &town, clock, &over, &next))
        })
        .collect();
    let mut random = Random(u64::from(std::process::id()) << 20 | began.elapsed().as_nanos() as u64);
    for _ in 0..kills {
        std::thread::sleep(Duration::from_millis(100 + random.below(900)));
        // Dropping kills with SIGKILL.
        drop(server);
        server = start();
    }
    over.store(true, Ordering::SeqCst);
    let told: Vec<_> = clients.into_iter().map(std::thread::JoinHandle::join).collect();
    let (code, said) = server.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(told.iter().all(Result::is_ok), "{said}");
    let told: Vec<Told> = told.into_iter().flatten().flatten().collect();
    let settled = told.iter().filter(|t| t.steps == STEPS.len()).count();
    assert!(settled > kills, "only {settled} orders came to their end in {kills} lives");

    agrees(&store(&data), &told);
    let verify = xiyang(&["verify", "--data", data.to_str().unwrap()]);
    let said = String::from_utf8(verify.stdout).unwrap();
    assert!(verify.status.success() && said.starts_with("0 troubles"), "{said}");
    eprintln!("{kills} kills, {} orders, {settled} settled: {said}", told.len());
}

/// The data hold what the clients were told: every order in its state with its visit and its transfers, and no others.
fn agrees(store: &Store, told: &[Told]) {
    let actor = auditor();
    let there = store
        .read(move |tx| {
            let mut there = Vec::new();
            while let Some(more) = {
                let after = there.last().map_or(0, |line: &orders::Line| line.id.0);
                orders::lines_after(tx, &actor, &Filter::default(), after, 5_000)
                    .map(|lines| (!lines.is_empty()).then_some(lines))
                    .map_err(|no| Fault::other(format!("{no:?}")))?
            } {
                there.extend(more);
            }
            Ok::<_, Fault>(there)
        })
        .unwrap();
    let mut ids: Vec<OrderId> = told.iter().map(|t| t.id).collect();
    ids.sort();
    let rows: Vec<OrderId> = there.iter().map(|line| line.id).collect();
    assert_eq!(rows.len(), ids.len(), "orders that nobody was told of, or that were told of and are gone");
    assert_eq!(rows, ids);

    for told in told.iter().copied() {
        let actor = auditor();
        let (sheet, transfers) = store
            .read(move |tx| {
                let sheet =
                    orders::sheet(tx, &actor, told.id).map_err(|no| Fault::other(format!("{no:?}")))?;
                Ok::<_, Fault>((sheet, ledger::transfers_for(tx, told.id.0)?))
            })
            .unwrap();
        assert_eq!(sheet.line.state, STATES[told.steps - 1], "{told:?}");
        assert_eq!(sheet.visit.is_some(), told.steps >= 3, "{told:?}");
        assert_eq!(sheet.visit.is_some_and(|v| v.out_at.is_some()), told.steps >= 4, "{told:?}");
        let of = |kind| transfers.iter().filter(move |(t, ..)| t.kind == kind);
        assert_eq!(of(TransferKind::Pending).count(), 1, "{told:?}: held once");
        let settled = told.steps == STEPS.len();
        assert_eq!(of(TransferKind::PostPending).count(), usize::from(settled), "{told:?}: used once");
        let paid: i64 = of(TransferKind::Posted).map(|(t, ..)| t.moved.amount).sum();
        assert_eq!(paid, if settled { PRICE_FEN } else { 0 }, "{told:?}: paid once");
    }
}

/// Leads one order after the other through its life until the test is over; answers what it was told.
fn client(
    address: SocketAddr,
    town: &Town,
    clock: impl Fn() -> At,
    over: &AtomicBool,
    next: &AtomicUsize,
) -> Vec<Told> {
    let mut told = Vec::new();
    let mut line = Line { address, token: town.token.clone(), stream: None };
    while !over.load(Ordering::SeqCst) {
        let number = next.fetch_add(1, Ordering::SeqCst);
        let pair = town.pairs[number % town.pairs.len()];
        let pass = (number / town.pairs.len()) as i64;
        // By the next pass the carer is free again; where the town is too small for that, the carer refuses.
        let start = clock().plus_minutes(6 + pass % 3 * 8);
        let (lon, lat) = pair.home;
        let bodies = [
            json!({"person": pair.person, "service": SERVICE, "start_at": start, "minutes": VISIT_MINUTES,
                "own_share_agreed": true}),
            json!({"carer": pair.carer}),
            json!({"fix": {"lon": lon, "lat": lat, "accuracy": 10.0}}),
            json!({"tasks": ["送餐上门"], "note": "当面交接", "confirmation": {"satisfied": true}}),
            json!({}),
        ];
        let mut order: Option<Told> = None;
        for (step, body) in bodies.iter().enumerate() {
            let path = match order {
                None => "/api/v1/orders".to_owned(),
                Some(told) => format!("/api/v1/orders/{}{}", told.id, STEPS[step]),
            };
            let (status, answer) = line.insist(&path, &format!("{number}-{step}"), body);
            if status == 409 {
                break;
            }
            assert!(status == 200 || status == 201, "{path}: {status} {answer}");
            let id: OrderId = answer["id"].as_str().unwrap().parse().unwrap();
            assert!(order.is_none_or(|told| told.id == id));
            assert_eq!(answer["state"], STATES[step].code(), "{path}");
            order = Some(Told { id, steps: step + 1 });
        }
        told.extend(order);
    }
    told
}

/// A connection that is made anew whenever the server has gone.
struct Line {
    address: SocketAddr,
    token: String,
    stream: Option<TcpStream>,
}

impl Line {
    /// Sends until there is an answer.
    fn insist(&mut self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let asked = Instant::now();
        loop {
            if let Ok(answer) = self.post(path, key, body) {
                return answer;
            }
            self.stream = None;
            assert!(asked.elapsed() < Duration::from_secs(120), "no answer to {path} in two minutes");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn post(&mut self, path: &str, key: &str, body: &Value) -> std::io::Result<(u16, Value)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(2))?;
                stream.set_read_timeout(Some(Duration::from_secs(60)))?;
                stream.set_nodelay(true)?;
                none.insert(stream)
            }
        };
        let (body, token) = (body.to_string(), &self.token);
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: crash\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        let mut piece = [0; 8192];
        loop {
            match stream.read(&mut piece)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                n => answer.extend(&piece[..n]),
            }
            if let Some(whole) = parse(&answer) {
                return Ok(whole);
            }
        }
    }
}

/// Status and body, once all of it is there.
fn parse(answer: &[u8]) -> Option<(u16, Value)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?.to_ascii_lowercase();
    let length: usize = head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    let body = answer.get(end + 4..end + 4 + length)?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_slice(body).unwrap_or(Value::Null)))
}

/// The key the server will find, so that the test can make the town before it starts and look into it afterwards.
fn make_keys(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(folder).unwrap();
    let (path, hex) = (folder.join("master.key"), KEY.map(|b| format!("{b:02x}")).concat());
    std::fs::write(&path, format!("{hex}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
}

fn store(data: &Path) -> Store {
    Store::open(&Place::Folder(data.to_owned()), Vault::new(&KEY), IdSource::new(7)).unwrap()
}

fn auditor() -> Actor {
    let (name, range) = ("审计".to_owned(), RegionRange::ALL);
    Actor { account: AccountId(1), name, role: Role::Auditor, range, provider: None, carer: None }
}

/// Enough randomness for the moment of a kill.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}
