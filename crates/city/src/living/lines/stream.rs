//! Watches and fire devices: bytes in a TCP stream, answered in their own words.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
};

use super::{AGAIN_AFTER, ANSWERS_WITHIN, Load, Out, TRIES};

/// A frame and what begins its answer.
type Frame = (Vec<u8>, Option<Vec<u8>>);

/// Serves one line until nobody has anything to send.
pub(super) async fn run(door: SocketAddr, mut loads: mpsc::Receiver<Load>) {
    let mut stream: Option<TcpStream> = None;
    while let Some(load) = loads.recv().await {
        let bytes = |out| match out {
            Out::Bytes { bytes, answer } => Some((bytes, answer)),
            Out::Publish { .. } | Out::Document { .. } => None,
        };
        let mut frames: Vec<Frame> = load.out.into_iter().filter_map(bytes).collect();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            let opened = match stream.take() {
                Some(open) => Ok(open),
                None => TcpStream::connect(door).await,
            };
            let Ok(mut open) = opened else { continue };
            let _ = open.set_nodelay(true);
            let said = tokio::time::timeout(ANSWERS_WITHIN, say(&mut open, &mut frames)).await;
            if let Ok(Ok(())) = said {
                stream = Some(open);
                break;
            }
            tracing::debug!(%door, left = frames.len(), "a line was not answered");
        }
        if let Some(done) = load.done {
            let _ = done.send(frames.len());
        }
    }
}

/// Sends all frames in pieces that have nothing to do with where frames end, and waits for their answers. What is left
/// in `frames` was not answered.
async fn say(open: &mut TcpStream, frames: &mut Vec<Frame>) -> io::Result<()> {
    let bytes: Vec<u8> = frames.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
    let (one, other) = bytes.split_at(bytes.len() * 3 / 7);
    open.write_all(one).await?;
    tokio::task::yield_now().await;
    open.write_all(other).await?;
    // What is never answered is done when it is on its way.
    frames.retain(|(_, answer)| answer.is_some());
    let mut heard: Vec<u8> = Vec::new();
    loop {
        frames.retain(|(_, answer)| !answer.as_ref().is_some_and(|answer| cut_out(&mut heard, answer)));
        if frames.is_empty() {
            return Ok(());
        }
        if open.read_buf(&mut heard).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Takes the first answer that begins so out of what was heard.
fn cut_out(heard: &mut Vec<u8>, answer: &[u8]) -> bool {
    let found = heard.windows(answer.len()).position(|some| some == answer);
    if let Some(at) = found {
        heard.drain(at..at + answer.len());
    }
    found.is_some()
}
