//! A closed loop of clients: each keeps one connection, asks, waits for the answer, asks again.
//!
//! Raw HTTP/1.1 on purpose: client and server share the cores, so the client must cost next to nothing.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::report::percentile;

/// One connection.
pub(super) struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// What a server answered.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) head: &'a str,
    pub(super) body: &'a [u8],
}

impl Answer<'_> {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }
}

impl Client {
    pub(super) async fn connect(address: SocketAddr) -> std::io::Result<Client> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, answer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a whole request and reads the whole answer.
    pub(super) async fn ask(&mut self, request: &[u8]) -> std::io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        let (status, body, end) = loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let Some((status, body, length)) = head(&self.answer) else { continue };
            let end = match length {
                Length::Known(length) => Some(body + length).filter(|end| *end <= self.answer.len()),
                Length::Chunks => chunks(&self.answer[body..]).map(|length| body + length),
            };
            if let Some(end) = end {
                break (status, body, end);
            }
        };
        let head = std::str::from_utf8(&self.answer[..body]).unwrap_or_default();
        Ok(Answer { status, head, body: &self.answer[body..end] })
    }
}

/// How one knows where a body ends.
#[derive(Debug, PartialEq)]
enum Length {
    Known(usize),
    /// It comes in chunks, as what is packed on the way does.
    Chunks,
}

/// Status, where the body begins and how long it is, once the head is complete.
fn head(answer: &[u8]) -> Option<(u16, usize, Length)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = header(head, "transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
    let length = header(head, "content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    Some((status, end + 4, if chunked { Length::Chunks } else { Length::Known(length) }))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Where a body of chunks ends, once its last one is here.
fn chunks(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = body[at..].windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&body[at..at + line]).ok()?.trim(), 16).ok()?;
        at += line + 2 + size + 2;
        if at > body.len() {
            return None;
        }
        if size == 0 {
            return Some(at);
        }
    }
}

/// Requests of one kind of server, in the order of an order's life.
pub(super) trait Cycle: Send + 'static {
    /// How many requests make a cycle.
    const STEPS: usize;
    /// Chooses for whom the next cycle is; false when there is nobody left.
    fn begin(&mut self) -> bool;
    /// Writes the request of a step; `id` is what the first answer called the order.
    fn request(&self, step: usize, id: &str, out: &mut Vec<u8>);
}

/// What clients saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) cycles: u64,
    pub(super) seconds: f64,
    pub(super) errors: u64,
    /// The first thing that went wrong, for the person who reads the figures.
    pub(super) first_error: Option<String>,
    micros: Vec<u32>,
}

impl Seen {
    pub(super) fn cycles_per_s(&self) -> f64 {
        self.cycles as f64 / self.seconds
    }

    pub(super) fn requests_per_s(&self) -> f64 {
        self.micros.len() as f64 / self.seconds
    }

    /// Milliseconds within which this share of the requests were answered.
    pub(super) fn milliseconds(&mut self, share: f64) -> f64 {
        percentile(&mut self.micros, share) / 1000.0
    }
}

/// Drives one client for each cycle source for so long, all on this thread.
pub(super) fn drive<C: Cycle>(address: SocketAddr, cycles: Vec<C>, lasts: Duration) -> std::io::Result<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let began = Instant::now();
        let end = began + lasts;
        let clients: Vec<_> = cycles.into_iter().map(|c| tokio::spawn(one(address, c, end))).collect();
        let mut all = Seen::default();
        for client in clients {
            let seen = client.await.map_err(std::io::Error::other)??;
            all.cycles += seen.cycles;
            all.errors += seen.errors;
            all.micros.extend(seen.micros);
            all.first_error = all.first_error.or(seen.first_error);
        }
        all.seconds = began.elapsed().as_secs_f64();
        Ok(all)
    })
}

async fn one<C: Cycle>(address: SocketAddr, mut cycle: C, end: Instant) -> std::io::Result<Seen> {
    let mut client = Client::connect(address).await?;
    let (mut seen, mut request, mut id) = (Seen::default(), Vec::with_capacity(1024), String::new());
    while Instant::now() < end && cycle.begin() {
        let mut whole = true;
        for step in 0..C::STEPS {
            request.clear();
            cycle.request(step, &id, &mut request);
            let asked = Instant::now();
            let answer = client.ask(&request).await?;
            seen.micros.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
            if !(200..300).contains(&answer.status) {
                seen.errors += 1;
                let said = String::from_utf8_lossy(answer.body).into_owned();
                seen.first_error.get_or_insert(format!("step {step}: {} {said}", answer.status));
                whole = false;
                break;
            }
            if step == 0 {
                id = id_in(answer.body).unwrap_or_default().to_owned();
            }
        }
        seen.cycles += u64::from(whole);
    }
    Ok(seen)
}

/// The `"id"` of a JSON object, a string of digits.
fn id_in(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let rest = text.split_once("\"id\"")?.1.trim_start_matches([':', ' ', '"']);
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_its_head_is_complete() {
        let text = b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\nx: y\r\n\r\nbody";
        assert_eq!(head(text), Some((201, text.len() - 4, Length::Known(4))));
        assert_eq!(head(&text[..30]), None);
        assert_eq!(head(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((204, 27, Length::Known(0))));
    }

    #[test]
    fn chunks_end_with_an_empty_one() {
        let text = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(head(text), Some((200, text.len(), Length::Chunks)));
        let body = b"3\r\n0\r\n\r\na\r\nabcdefghij\r\n0\r\n\r\n";
        assert_eq!(chunks(body), Some(body.len()));
        assert_eq!(chunks(&body[..body.len() - 1]), None);
        assert_eq!(chunks(b"3\r\nab"), None);
    }

    #[test]
    fn the_id_is_found_however_it_is_spaced() {
        assert_eq!(id_in(br#"{"id": "12", "state":"placed"}"#), Some("12"));
        assert_eq!(id_in(br#"{"state":"placed","id":"12"}"#), Some("12"));
        assert_eq!(id_in(b"{}"), None);
    }
}
