//! Where devices are listened to: the doors named on the command line, and the intake behind them.

use std::{io::Write as _, net::SocketAddr, path::PathBuf};

use app::{
    pack,
    signals::intake::{Intake, Keeper, Reserved},
};
use city::living::Doors;
use clap::Args;
use domain::regions::{Level, RegionCode};
use tokio::{
    net::{TcpListener, TcpSocket, UdpSocket},
    runtime::Runtime,
};
use web::{App, intake::Listeners};

use crate::{brokers::BrokerArgs, complaint::Complaint, open::Opened, outside};

/// Where devices are listened to.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct DoorArgs {
    /// 设备接入：MQTT 监听地址。Devices that speak MQTT
    #[arg(long, value_name = "ADDR")]
    pub(crate) mqtt: Option<SocketAddr>,
    /// 设备接入：MQTT（TLS）监听地址。MQTT over TLS
    #[arg(long, value_name = "ADDR", requires_all = ["tls_cert", "tls_key"])]
    mqtts: Option<SocketAddr>,
    /// TLS 证书链，PEM。Certificate chain
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// TLS 私钥，PEM。Private key
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// 设备接入：手表 TCP 监听地址。Watches
    #[arg(long, value_name = "ADDR")]
    watch: Option<SocketAddr>,
    /// 设备接入：消防 GB/T 26875.3 监听地址。Fire devices
    #[arg(long, value_name = "ADDR")]
    fire: Option<SocketAddr>,
    /// 设备接入：CJ/T 188 水表网关 TCP 监听地址。Gateways of CJ/T 188 meters
    #[arg(long, value_name = "ADDR")]
    meter: Option<SocketAddr>,
    /// 设备接入：SCAIP（SIP，UDP 与 TCP）监听地址。Care phones by SCAIP over SIP
    #[arg(long, value_name = "ADDR")]
    sip: Option<SocketAddr>,
    #[command(flatten)]
    brokers: BrokerArgs,
    /// Ports nobody asked for: when one is taken, any does.
    #[arg(skip)]
    or_any: Vec<u16>,
}

impl DoorArgs {
    /// The demo listens to every kind of device: where their clients look first, or else on any free port.
    pub(crate) fn for_demo(mut self) -> DoorArgs {
        let doors = [
            (&mut self.mqtt, 1883),
            (&mut self.watch, 5093),
            (&mut self.fire, 26_875),
            (&mut self.sip, 5060),
        ];
        for (door, port) in doors {
            if door.is_none() {
                *door = Some(SocketAddr::from(([127, 0, 0, 1], port)));
                self.or_any.push(port);
            }
        }
        self
    }

    /// Whether another port does as well when this one is taken.
    fn or_any(&self, address: SocketAddr) -> bool {
        self.or_any.contains(&address.port())
    }
}

/// Where the simulated devices find the doors that are open.
pub(crate) fn doors(listeners: &Listeners) -> Doors {
    let tcp = |listener: &Option<TcpListener>| listener.as_ref().and_then(|l| l.local_addr().ok());
    Doors {
        mqtt: tcp(&listeners.mqtt),
        watch: tcp(&listeners.watch),
        fire: tcp(&listeners.fire),
        sip: listeners.sip.as_ref().and_then(|(packets, _)| packets.local_addr().ok()),
    }
}

/// Takes the addresses, before anything long begins, and says which they are.
pub(crate) fn bind(runtime: &Runtime, doors: &DoorArgs) -> Result<Listeners, Complaint> {
    let tcp = |name: &str, address: Option<SocketAddr>| -> Result<Option<TcpListener>, Complaint> {
        let Some(address) = address else { return Ok(None) };
        let listener = match listen(runtime, address) {
            Err(_) if doors.or_any(address) => {
                instead(name, address);
                listen(runtime, SocketAddr::from((address.ip(), 0)))
            }
            bound => bound,
        };
        let listener = listener.map_err(|e| taken(name, address, &e))?;
        say(name, listener.local_addr().unwrap_or(address));
        Ok(Some(listener))
    };
    let (nats, broker) = doors.brokers.read()?;
    let mut listeners = Listeners {
        mqtt: tcp("mqtt", doors.mqtt)?,
        mqtts: None,
        watch: tcp("watch", doors.watch)?,
        fire: tcp("fire", doors.fire)?,
        meter: tcp("meter", doors.meter)?,
        sip: None,
        nats,
        broker,
    };
    if let (Some(listener), Some(chain), Some(key)) =
        (tcp("mqtts", doors.mqtts)?, &doors.tls_cert, &doors.tls_key)
    {
        let acceptor = web::intake::acceptor(chain, key).map_err(|e| {
            Complaint::new(format!("证书或私钥不能使用：{e}"), format!("cannot use certificate or key: {e}"))
        })?;
        listeners.mqtts = Some((listener, acceptor));
    }
    if let Some(address) = doors.sip {
        let streams = tcp("sip", Some(address))?;
        // The same port for both, also when it was chosen by the system.
        let port = streams.as_ref().and_then(|l| l.local_addr().ok()).unwrap_or(address);
        let (streams, packets) = match runtime.block_on(UdpSocket::bind(port)) {
            // The stream's port may be free while the packets' is not.
            Err(_) if doors.or_any(address) => {
                drop(streams);
                let streams = tcp("sip", Some(SocketAddr::from((address.ip(), 0))))?;
                let port = streams.as_ref().and_then(|l| l.local_addr().ok()).unwrap_or(port);
                (streams, runtime.block_on(UdpSocket::bind(port)))
            }
            packets => (streams, packets),
        };
        let packets = packets.map_err(|e| taken("sip", port, &e))?;
        listeners.sip = streams.map(|streams| (packets, streams));
    }
    Ok(listeners)
}

/// Connections that wait with the system to be taken. A city's devices that lost their network all come at once, and whoever
/// finds no place tries again a second later.
const WAITING: u32 = 4_096;

/// Takes an address with room for a crowd.
pub(crate) fn listen(runtime: &Runtime, address: SocketAddr) -> std::io::Result<TcpListener> {
    let _inside = runtime.enter();
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

fn say(name: &str, address: SocketAddr) {
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(std::io::stderr(), "listening {name} {address}");
}

fn instead(name: &str, address: SocketAddr) {
    let port = address.port();
    let _ = writeln!(
        std::io::stderr(),
        "{port} 端口已被占用，{name} 设备改用空闲端口；可用 --{name} 指定\n\
         port {port} is taken, {name} devices get a free one; choose one with --{name}"
    );
}

fn taken(name: &str, address: SocketAddr, error: &std::io::Error) -> Complaint {
    Complaint::new(
        format!("不能在 {address} 接入设备：{error}。请检查 --{name} 的地址，或停掉占用它的程序"),
        format!("cannot listen to devices on {address} ({error}); check --{name}"),
    )
}

/// Starts the intake and lets devices in. The keeper must be dropped before the store.
pub(crate) fn start(app: &App, opened: &Opened, listeners: Listeners) -> Result<Keeper, Complaint> {
    let place = opened.store.read(pack::place)?;
    let first = place.and_then(|place| place.regions.first().copied());
    // Where an alarm belongs whose sender nobody knows: the whole city.
    let home = first.map(|region| region.within(Level::City)).unwrap_or_else(nowhere);
    let reserved = opened.folder.clone().map(|folder| Reserved { folder, bytes: None });
    let (intake, keeper) = Intake::start(opened.store.clone(), outside::now, home, reserved)?;
    web::intake::listen(app, &intake, listeners);
    Ok(keeper)
}

/// Before a city pack is installed there is no city.
fn nowhere() -> RegionCode {
    RegionCode::new(110_000_000_000).expect("the first province")
}
