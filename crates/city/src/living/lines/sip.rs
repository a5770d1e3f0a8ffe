//! Care phones: a SIP MESSAGE in a packet, sent again until it is answered.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{net::UdpSocket, sync::mpsc};

use super::{Load, Out, TRIES};

/// Packets get lost; SIP sends again after half a second, which a busy machine may take.
const AGAIN_AFTER: Duration = Duration::from_millis(1_500);

/// Serves all care phones until nobody has anything to send.
pub(super) async fn run(door: SocketAddr, mut loads: mpsc::Receiver<Load>) {
    let mut number = 0_u64;
    while let Some(load) = loads.recv().await {
        let mut lost = 0;
        for out in load.out {
            let Out::Document { from, body } = out else { continue };
            number += 1;
            if let Err(error) = message(door, &from, &body, number).await {
                tracing::debug!(from, %error, "a care phone was not answered");
                lost += 1;
            }
        }
        if let Some(done) = load.done {
            let _ = done.send(lost);
        }
    }
}

async fn message(door: SocketAddr, from: &str, body: &[u8], number: u64) -> io::Result<()> {
    let socket = UdpSocket::bind((door.ip(), 0)).await?;
    socket.connect(door).await?;
    let here = socket.local_addr()?;
    let call = format!("{from}-{}-{number}", here.port());
    let mut packet = format!(
        "MESSAGE sip:centre@{door} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n\
         From: <sip:{from}@{here}>;tag={number}\r\nTo: <sip:centre@{door}>\r\nCall-ID: {call}\r\nCSeq: 1 MESSAGE\r\n\
         Content-Type: application/scaip+xml\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    packet.extend_from_slice(body);
    let mut buffer = [0; 4_096];
    for _ in 0..TRIES {
        socket.send(&packet).await?;
        let answered = async {
            loop {
                let length = socket.recv(&mut buffer).await?;
                if buffer[..length].starts_with(b"SIP/2.0 ") {
                    return Ok::<_, io::Error>(buffer[8..length.min(11)].to_vec());
                }
            }
        };
        match tokio::time::timeout(AGAIN_AFTER, answered).await {
            // It is not on disk there: once more.
            Ok(Ok(status)) if status.starts_with(b"5") => tokio::time::sleep(AGAIN_AFTER).await,
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => {}
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}
