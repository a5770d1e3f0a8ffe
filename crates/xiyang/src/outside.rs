//! What enters from outside: the clock, randomness, and the log that goes out.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::time::{At, Now};

/// How far our clock is ahead of the machine's, in microseconds: 0 unless it was set.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// The present moment.
pub fn now() -> Now {
    Now(At(jiff::Timestamp::now().as_microsecond() + AHEAD.load(Ordering::Relaxed)))
}

/// Lets our clock show this moment and run on from there.
pub fn set_clock(to: At) {
    AHEAD.store(to.0 - jiff::Timestamp::now().as_microsecond(), Ordering::Relaxed);
}

/// Fills bytes with the system's randomness.
pub fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system's source of randomness does not fail once it is up");
}

/// A new secret: 32 random bytes as hexadecimal digits.
pub fn token() -> String {
    let mut bytes = [0; 32];
    random(&mut bytes);
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A new code to be typed once: 100 random bits in letters and digits that nobody mistakes for one another.
pub fn code() -> String {
    const SIGNS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";
    let mut bytes = [0; 20];
    random(&mut bytes);
    let signs: Vec<char> = bytes.iter().map(|b| char::from(SIGNS[usize::from(b % 32)])).collect();
    signs.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Starts the log on stderr; `RUST_LOG` overrides what is told.
pub fn log(otherwise: &str) {
    use std::io::IsTerminal as _;
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(otherwise));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
