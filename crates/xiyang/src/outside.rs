//! What enters from outside: the clock, randomness, and the log that goes out.

use domain::time::{At, Now};

/// The present moment of this machine.
pub fn now() -> Now {
    Now(At(jiff::Timestamp::now().as_microsecond()))
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
