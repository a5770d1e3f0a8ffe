//! A load of QoS 1 messages from hand-packed templates: client and server share the cores, so a message costs the
//! client a copy and some digits.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    task::LocalSet,
};

use super::report::percentile;

/// A connection and the devices it speaks for.
#[derive(Debug, Clone)]
pub(super) struct Gateway {
    pub(super) serial: String,
    pub(super) secret: String,
    pub(super) devices: Vec<String>,
}

/// How fast.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// As fast as acknowledgements come.
    Flat,
    /// So many a second over all connections, with an SOS among each two hundred.
    PerSecond(u64),
}

/// Messages of one connection that may be without an acknowledgement.
const WINDOW: usize = 4_096;
/// Messages in one write.
const CHUNK: usize = 512;
/// How often a paced connection sends.
const TICK: Duration = Duration::from_millis(4);
/// One in so many paced messages is an SOS.
const SOS_EVERY: u64 = 200;
/// Counters begin here, so that they all have ten digits.
const FIRST: u64 = 1_000_000_000;
/// How long the last acknowledgements may take.
const LATE: Duration = Duration::from_secs(15);

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) acknowledged: u64,
    pub(super) seconds: f64,
    alarm_micros: Vec<u32>,
}

impl Seen {
    pub(super) fn per_s(&self) -> f64 {
        self.acknowledged as f64 / self.seconds
    }

    pub(super) fn alarms(&self) -> usize {
        self.alarm_micros.len()
    }

    /// Milliseconds from an alarm's sending to its acknowledgement.
    pub(super) fn alarm_ms(&mut self, share: f64) -> f64 {
        percentile(&mut self.alarm_micros, share) / 1000.0
    }
}

/// What reader and writer of a connection share.
struct Shared {
    outstanding: Cell<usize>,
    acknowledged: Cell<u64>,
    room: Notify,
    /// When the alarm with this packet id was sent.
    alarms: RefCell<Vec<Option<Instant>>>,
    micros: RefCell<Vec<u32>>,
}

/// Drives all connections for so long, on this thread.
pub(super) fn drive(
    to: SocketAddr,
    county: &str,
    gateways: &[Gateway],
    pace: Pace,
    lasts: Duration,
) -> std::io::Result<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut lines = Vec::new();
        for (n, gateway) in gateways.iter().enumerate() {
            lines.push(Line::connect(to, county, gateway, (n, gateways.len())).await?);
        }
        let began = Instant::now();
        let end = began + lasts;
        let tasks: Vec<_> =
            lines.into_iter().map(|line| tokio::task::spawn_local(line.run(pace, end))).collect();
        let mut seen = Seen::default();
        for task in tasks {
            let shared = task.await.map_err(std::io::Error::other)??;
            seen.acknowledged += shared.acknowledged.get();
            seen.alarm_micros.extend(shared.micros.borrow().iter());
        }
        seen.seconds = began.elapsed().as_secs_f64();
        Ok(seen)
    })
}

/// A message with places for what changes.
struct Template {
    bytes: Vec<u8>,
    id_at: usize,
    digits_at: usize,
}

impl Template {
    fn new(topic: &str, before: &str, after: &str) -> Template {
        let payload = format!("{before}{FIRST}{after}");
        let mut body = (topic.len() as u16).to_be_bytes().to_vec();
        body.extend(topic.as_bytes());
        body.extend([0, 0]);
        body.extend(payload.as_bytes());
        let bytes = packet(0x32, &body);
        let head = bytes.len() - body.len();
        let id_at = head + 2 + topic.len();
        Template { bytes, id_at, digits_at: id_at + 2 + before.len() }
    }

    fn write(&self, out: &mut Vec<u8>, id: u16, mut count: u64) {
        let from = out.len();
        out.extend_from_slice(&self.bytes);
        out[from + self.id_at..from + self.id_at + 2].copy_from_slice(&id.to_be_bytes());
        for digit in out[from + self.digits_at..from + self.digits_at + 10].iter_mut().rev() {
            *digit = b'0' + (count % 10) as u8;
            count /= 10;
        }
    }
}

/// A packet of that kind.
pub(super) fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    let mut n = body.len();
    loop {
        let more = n >= 128;
        out.push((n % 128) as u8 | if more { 128 } else { 0 });
        n /= 128;
        if !more {
            break;
        }
    }
    out.extend(body);
    out
}

/// One connection.
struct Line {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    readings: Vec<Template>,
    alarms: Vec<Template>,
    /// Its place among all connections, and how many there are.
    place: (usize, usize),
}

thread_local! {
    /// Counters go on from one measurement to the next: what was sent before must not come again.
    static COUNT: Cell<u64> = const { Cell::new(FIRST) };
}

impl Line {
    async fn connect(
        to: SocketAddr,
        county: &str,
        gateway: &Gateway,
        place: (usize, usize),
    ) -> std::io::Result<Line> {
        let mut stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let mut body = b"\x00\x04MQTT\x04\xc2\x00\x00".to_vec();
        for text in [&gateway.serial, &gateway.serial, &gateway.secret] {
            body.extend((text.len() as u16).to_be_bytes());
            body.extend(text.as_bytes());
        }
        stream.write_all(&packet(0x10, &body)).await?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await?;
        if answer[3] != 0 {
            return Err(std::io::Error::other("the connection was refused"));
        }
        let (read, write) = stream.into_split();
        let template = |before: &str, after: &str| -> Vec<Template> {
            let topic = |device: &String| format!("care/v1/{county}/bedmat/{device}/up");
            gateway.devices.iter().map(|device| Template::new(&topic(device), before, after)).collect()
        };
        let at = crate::outside::now().0.rfc3339();
        let readings = template(
            &format!("{{\"ts\":\"{at}\",\"seq\":"),
            ",\"battery\":88,\"heart_rate\":64,\"breath_rate\":15}",
        );
        let alarms = template(&format!("{{\"ts\":\"{at}\",\"seq\":"), ",\"event\":\"sos\"}");
        Ok(Line { read, write, readings, alarms, place })
    }

    async fn run(self, pace: Pace, end: Instant) -> std::io::Result<Rc<Shared>> {
        let Line { read, write, readings, alarms, place } = self;
        let shared = Rc::new(Shared {
            outstanding: Cell::new(0),
            acknowledged: Cell::new(0),
            room: Notify::new(),
            alarms: RefCell::new(vec![None; 1 << 16]),
            micros: RefCell::default(),
        });
        let reader = tokio::task::spawn_local(hear(read, Rc::clone(&shared)));
        let mut speaker =
            Speaker { write, readings, alarms, shared: Rc::clone(&shared), id: 0, out: Vec::new(), turn: 0 };
        match pace {
            Pace::Flat => speaker.flat(end).await?,
            Pace::PerSecond(rate) => speaker.paced(rate, place, end).await?,
        }
        let late = Instant::now() + LATE;
        while shared.outstanding.get() > 0 && Instant::now() < late && !reader.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        reader.abort();
        Ok(shared)
    }
}

/// Reads acknowledgements until the connection ends.
async fn hear(mut read: OwnedReadHalf, shared: Rc<Shared>) {
    let (mut buffer, mut kept) = (vec![0; 64 * 1024], 0);
    while let Ok(n) = read.read(&mut buffer[kept..]).await {
        if n == 0 {
            break;
        }
        let now = Instant::now();
        let whole = (kept + n) / 4 * 4;
        for ack in buffer[..whole].chunks_exact(4) {
            let id = usize::from(u16::from_be_bytes([ack[2], ack[3]]));
            if let Some(sent) = shared.alarms.borrow_mut()[id].take() {
                let micros = now.duration_since(sent).as_micros();
                shared.micros.borrow_mut().push(u32::try_from(micros).unwrap_or(u32::MAX));
            }
        }
        buffer.copy_within(whole..kept + n, 0);
        kept = kept + n - whole;
        shared.outstanding.set(shared.outstanding.get().saturating_sub(whole / 4));
        shared.acknowledged.set(shared.acknowledged.get() + (whole / 4) as u64);
        shared.room.notify_one();
    }
}

/// Writes messages.
struct Speaker {
    write: OwnedWriteHalf,
    readings: Vec<Template>,
    alarms: Vec<Template>,
    shared: Rc<Shared>,
    id: u16,
    out: Vec<u8>,
    turn: usize,
}

impl Speaker {
    fn next_id(&mut self) -> u16 {
        self.id = if self.id == u16::MAX { 1 } else { self.id + 1 };
        self.id
    }

    fn message(&mut self, sos: bool) {
        let (id, count) = (self.next_id(), COUNT.get());
        COUNT.set(count + 1);
        self.turn += 1;
        let all = if sos { &self.alarms } else { &self.readings };
        all[self.turn % all.len()].write(&mut self.out, id, count);
        if sos {
            self.shared.alarms.borrow_mut()[usize::from(id)] = Some(Instant::now());
        }
        self.shared.outstanding.set(self.shared.outstanding.get() + 1);
    }

    async fn flat(&mut self, end: Instant) -> std::io::Result<()> {
        while Instant::now() < end {
            while self.shared.outstanding.get() + CHUNK > WINDOW {
                let waited = tokio::time::timeout(LATE, self.shared.room.notified()).await;
                waited.map_err(|_| std::io::Error::other("no acknowledgements"))?;
            }
            self.out.clear();
            (0..CHUNK).for_each(|_| self.message(false));
            self.write.write_all(&self.out).await?;
        }
        Ok(())
    }

    async fn paced(&mut self, rate: u64, (n, of): (usize, usize), end: Instant) -> std::io::Result<()> {
        let began = Instant::now();
        // Connections take turns within a tick, as devices do not speak in step.
        tokio::time::sleep(TICK * n as u32 / of as u32).await;
        let mut ticks = tokio::time::interval(TICK);
        let mut sent = 0_u64;
        while Instant::now() < end {
            ticks.tick().await;
            let due = (began.elapsed().as_secs_f64() * rate as f64 / of as f64) as u64;
            self.out.clear();
            while sent < due {
                // Every connection at another place in its two hundred.
                self.message((sent + n as u64 * 7).is_multiple_of(SOS_EVERY));
                sent += 1;
            }
            if !self.out.is_empty() {
                self.write.write_all(&self.out).await?;
            }
        }
        Ok(())
    }
}
