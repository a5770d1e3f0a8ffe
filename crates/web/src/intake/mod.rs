//! What devices speak, as listeners: bytes in, frames to `app::signals::intake`, an answer once they are on disk.
//!
//! INVARIANT: no protocol's answer leaves before the frame it answers is on disk, or was rejected with a reason.
//! One bad frame costs that frame: its connection, other connections and other devices go on.

mod broker;
mod carried;
mod mqtt;
mod nats;
pub(crate) mod sender;
mod sip;
mod stream;
mod tls;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use app::signals::intake::Intake;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UdpSocket},
    time::Instant,
};
use tokio_rustls::TlsAcceptor;

pub use broker::Broker;
pub use nats::Nats;
pub use tls::{acceptor, trust};

use crate::App;

/// Where devices are listened to; what is absent is not.
#[derive(Default)]
pub struct Listeners {
    /// MQTT over TCP.
    pub mqtt: Option<TcpListener>,
    /// MQTT over TLS, with what proves the server.
    pub mqtts: Option<(TcpListener, TlsAcceptor)>,
    /// Watches over TCP.
    pub watch: Option<TcpListener>,
    /// Fire devices over TCP.
    pub fire: Option<TcpListener>,
    /// Gateways of meters over TCP.
    pub meter: Option<TcpListener>,
    /// SCAIP over SIP, by packets and by streams.
    pub sip: Option<(UdpSocket, TcpListener)>,
    /// A NATS JetStream cluster that others publish to.
    pub nats: Option<Nats>,
    /// An MQTT broker that others publish to.
    pub broker: Option<Broker>,
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listeners")
    }
}

/// Listens until the runtime ends.
pub fn listen(app: &App, intake: &Intake, listeners: Listeners) {
    app.take_signals(intake.clone());
    tokio::spawn(sender::forget_changed(app.clone(), intake.clone()));
    let Listeners { mqtt, mqtts, watch, fire, meter, sip, nats, broker } = listeners;
    let each = |listener: Option<TcpListener>, serve: fn(TcpStream, SocketAddr, Intake)| {
        if let Some(listener) = listener {
            let intake = intake.clone();
            tokio::spawn(accept(listener, move |stream, peer| serve(stream, peer, intake.clone())));
        }
    };
    each(mqtt, |stream, peer, intake| drop(tokio::spawn(mqtt::serve(stream, peer, intake))));
    each(watch, |stream, peer, intake| {
        drop(tokio::spawn(stream::serve(stream, peer, intake, stream::Language::Watch)));
    });
    each(fire, |stream, peer, intake| {
        drop(tokio::spawn(stream::serve(stream, peer, intake, stream::Language::Fire)));
    });
    each(meter, |stream, peer, intake| {
        drop(tokio::spawn(stream::serve(stream, peer, intake, stream::Language::Meter)));
    });
    if let Some(nats) = nats {
        tokio::spawn(nats::carry(nats, intake.clone()));
    }
    if let Some(broker) = broker {
        tokio::spawn(broker::carry(broker, intake.clone()));
    }
    if let Some((packets, streams)) = sip {
        tokio::spawn(sip::packets(packets, intake.clone()));
        let intake = intake.clone();
        tokio::spawn(accept(streams, move |stream, peer| {
            drop(tokio::spawn(sip::stream(stream, peer, intake.clone())));
        }));
    }
    if let Some((listener, acceptor)) = mqtts {
        let (intake, acceptor) = (intake.clone(), Arc::new(acceptor));
        tokio::spawn(accept(listener, move |stream, peer| {
            let (intake, acceptor) = (intake.clone(), Arc::clone(&acceptor));
            tokio::spawn(async move {
                match tls::handshake(&acceptor, stream).await {
                    Ok(stream) => mqtt::serve(stream, peer, intake).await,
                    Err(error) => tracing::debug!(%peer, %error, "no TLS"),
                }
            });
        }));
    }
}

/// Who has connected and says nothing holds a place that others may need; some units speak first after minutes.
const FIRST_WORD: Duration = Duration::from_secs(600);
/// How often it is told that devices cannot be let in.
const TELL_EVERY: Duration = Duration::from_secs(60);

async fn accept(listener: TcpListener, serve: impl Fn(TcpStream, SocketAddr)) {
    let mut told: Option<Instant> = None;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                serve(stream, peer);
            }
            // Out of descriptors, most likely; those that are open go on and free some.
            Err(error) => {
                if told.is_none_or(|at| at.elapsed() > TELL_EVERY) {
                    tracing::error!(%error, "devices cannot be let in");
                    told = Some(Instant::now());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// A connection of whatever kind.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Wire for T {}

/// Reads what is there into a buffer that is used again; 0 at the end.
async fn read_some<W: Wire>(wire: &mut W, into: &mut Vec<u8>) -> io::Result<usize> {
    use tokio::io::AsyncReadExt as _;
    wire.read_buf(into).await
}
