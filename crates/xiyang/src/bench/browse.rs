//! People at their desks: signed in as personas of the demo, asking for pages as a browser does.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{load::Client, report::percentile};
use crate::complaint::Complaint;

/// One address to ask for, under the name its times are told by.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) kind: &'static str,
    pub(super) path: String,
    pub(super) session: Arc<str>,
}

impl Ask {
    /// The request of a browser that follows no link before the last page is there.
    fn request(&self) -> Vec<u8> {
        request(&self.path, &self.session, "Accept-Encoding: gzip\r\n")
    }
}

fn request(path: &str, session: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/html\r\nCookie: {session}\r\n{more}\r\n")
        .into_bytes()
}

/// Somebody who is signed in and looks around before the measuring.
pub(super) struct Visitor {
    client: Client,
    runtime: tokio::runtime::Runtime,
    pub(super) session: Arc<str>,
}

impl Visitor {
    /// Signs in as a persona of the demo.
    pub(super) fn enter(address: SocketAddr, persona: &str) -> Result<Visitor, Complaint> {
        let file = |e: std::io::Error| Complaint::file("xiyang demo".as_ref(), &e);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(file)?;
        let mut client = runtime.block_on(Client::connect(address)).map_err(file)?;
        let body = format!("persona={persona}");
        let length = body.len();
        let sign_in = format!(
            "POST /sign-in/demo HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let answer = runtime.block_on(client.ask(sign_in.as_bytes())).map_err(file)?;
        let cookie = answer.header("set-cookie").and_then(|c| c.split(';').next()).map(Arc::from);
        let session = cookie.ok_or_else(|| {
            Complaint::new(format!("不能以 {persona} 登录"), format!("cannot sign in as {persona}"))
        })?;
        Ok(Visitor { client, runtime, session })
    }

    /// Looks at a page; answers the text, or where it led to.
    pub(super) fn look(&mut self, path: &str) -> Result<String, Complaint> {
        let asked = request(path, &self.session, "");
        let answer = self.runtime.block_on(self.client.ask(&asked));
        let answer = answer.map_err(|e| Complaint::file(path.as_ref(), &e))?;
        match answer.status {
            200 => Ok(String::from_utf8_lossy(answer.body).into_owned()),
            300..400 => Ok(answer.header("location").unwrap_or_default().to_owned()),
            status => {
                Err(Complaint::new(format!("{path} 答复 {status}"), format!("{path} answered {status}")))
            }
        }
    }

    /// What stands after a text, everywhere on a page, up to the first sign that is no digit.
    pub(super) fn numbers(&mut self, path: &str, after: &str) -> Result<Vec<String>, Complaint> {
        let text = self.look(path)?;
        let mut found: Vec<String> = text
            .split(after)
            .skip(1)
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
            .filter(|number: &String| number.len() > 4)
            .collect();
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    pub(super) fn ask(&self, kind: &'static str, path: impl Into<String>) -> Ask {
        Ask { kind, path: path.into(), session: Arc::clone(&self.session) }
    }
}

/// What was seen of one kind of page.
#[derive(Debug, Default)]
pub(super) struct Kind {
    micros: Vec<u32>,
    bytes: usize,
}

impl Kind {
    pub(super) fn milliseconds(&mut self, share: f64) -> f64 {
        percentile(&mut self.micros, share) / 1000.0
    }

    pub(super) fn asked(&self) -> usize {
        self.micros.len()
    }

    /// Bytes of an answer as they came over the line, packed.
    pub(super) fn bytes(&self) -> f64 {
        self.bytes as f64 / self.micros.len().max(1) as f64
    }
}

/// What all clients saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) kinds: BTreeMap<&'static str, Kind>,
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
    pub(super) seconds: f64,
}

impl Seen {
    pub(super) fn requests(&self) -> usize {
        self.kinds.values().map(Kind::asked).sum()
    }

    /// Milliseconds within which this share of all requests were answered.
    pub(super) fn milliseconds(&self, share: f64) -> f64 {
        let mut all: Vec<u32> = self.kinds.values().flat_map(|kind| kind.micros.iter().copied()).collect();
        percentile(&mut all, share) / 1000.0
    }

    fn take(&mut self, other: Seen) {
        for (name, kind) in other.kinds {
            let mine = self.kinds.entry(name).or_default();
            mine.micros.extend(kind.micros);
            mine.bytes += kind.bytes;
        }
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }
}

/// Asks for all these again and again over so many connections, each of which waits for its answer.
pub(super) fn browse(
    address: SocketAddr,
    asks: &[Ask],
    connections: usize,
    lasts: Duration,
) -> std::io::Result<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asks: Arc<Vec<(Ask, Vec<u8>)>> = Arc::new(asks.iter().map(|a| (a.clone(), a.request())).collect());
    let next = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let began = Instant::now();
        let clients: Vec<_> = (0..connections)
            .map(|_| tokio::spawn(one(address, Arc::clone(&asks), Arc::clone(&next), began + lasts)))
            .collect();
        let mut all = Seen::default();
        for client in clients {
            all.take(client.await.map_err(std::io::Error::other)??);
        }
        all.seconds = began.elapsed().as_secs_f64();
        Ok(all)
    })
}

async fn one(
    address: SocketAddr,
    asks: Arc<Vec<(Ask, Vec<u8>)>>,
    next: Arc<AtomicUsize>,
    end: Instant,
) -> std::io::Result<Seen> {
    let mut client = Client::connect(address).await?;
    let mut seen = Seen::default();
    while Instant::now() < end {
        let (ask, request) = &asks[next.fetch_add(1, Ordering::Relaxed) % asks.len()];
        let asked = Instant::now();
        let answer = client.ask(request).await?;
        let micros = u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX);
        let kind = seen.kinds.entry(ask.kind).or_default();
        kind.micros.push(micros);
        kind.bytes += answer.body.len();
        // A desk may lead on to what its owner has in hand.
        if !(200..400).contains(&answer.status) {
            seen.errors += 1;
            let text = String::from_utf8_lossy(answer.body).chars().take(200).collect::<String>();
            seen.first_error.get_or_insert(format!("{}: {} {text}", ask.path, answer.status));
        }
    }
    Ok(seen)
}

/// Percent-encodes a word of an address.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| {
        if byte.is_ascii_alphanumeric() {
            out + &char::from(byte).to_string()
        } else {
            out + &format!("%{byte:02X}")
        }
    })
}
