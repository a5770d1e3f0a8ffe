//! `xiyang serve`: the server, its sealing worker, and an orderly end.

use std::{future::Future, io::Write as _, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use app::{
    evidence::{self, SealFile},
    orders::urgent,
    outcome::No,
    parties::accounts::{self, FIRST_CODE_HOURS},
    parties::imports,
    repeat::Repeating,
    signals::{
        incidents::{self, reaches},
        worker,
    },
    store::Store,
};
use tokio::{net::TcpListener, runtime::Runtime, signal::unix::SignalKind};
use web::{App, Demo, Gateway, intake::Listeners};

use crate::{
    ServeArgs,
    complaint::Complaint,
    http,
    open::{self, Opened},
    outside, signals,
};

/// What is not sealed yet could be changed unseen by whoever has the key; five seconds keep that short and cost one
/// small commit.
const SEAL_EVERY: Duration = Duration::from_secs(5);
/// An urgent order waits no longer than this for its first carer to be asked.
const RING_EVERY: Duration = Duration::from_secs(2);

pub(crate) fn run(args: ServeArgs) -> Result<ExitCode, Complaint> {
    outside::log("info");
    if let Some(clock) = args.clock {
        tracing::warn!(%clock, "the clock of this server is not the machine's; for measuring and rehearsing only");
        outside::set_clock(clock);
    }
    let opened = open::to_serve(&args.place, args.keys.as_deref())?;
    let runtime = runtime()?;
    let bound = bind(&runtime, args.listen)?;
    let listeners = signals::bind(&runtime, &args.doors)?;
    offer_first_account(&opened.store, bound.address)?;
    let gateway = args.gateway.read()?;
    serve(runtime, opened, (bound, listeners), (gateway, None), |_| {})
}

/// Where nobody has an account yet, whoever reads this program's output may make the first one.
fn offer_first_account(store: &Store, address: SocketAddr) -> Result<(), Complaint> {
    if !store.read(accounts::untouched)? {
        return Ok(());
    }
    let code = outside::code();
    let (hash, now) = (accounts::token_hash(&code), outside::now());
    match store.write(move |tx| accounts::first_code(tx, hash, now)) {
        Ok(()) => {}
        // Another server on the same database was faster, and somebody used its code.
        Err(No::Refused(_) | No::Forbidden(_) | No::NotFound) => return Ok(()),
        Err(No::Fault(fault)) => return Err(fault.into()),
    }
    let said = format!(
        "还没有账号：请在 {FIRST_CODE_HOURS} 小时内打开 http://{address}/first ，用一次性代码 {code} 设立首个平台管理员\n\
         no account yet: open http://{address}/first within {FIRST_CODE_HOURS} hours and use the one-time code above"
    );
    writeln!(std::io::stderr(), "{said}").map_err(|e| Complaint::file("stderr".as_ref(), &e))
}

/// The runtime of a server. Two workers: commands and questions run on the store's own threads.
pub fn runtime() -> Result<Runtime, Complaint> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("web")
        .enable_all()
        .build()
        .map_err(|e| {
            Complaint::new(format!("系统拒绝新线程：{e}"), format!("the system gave no threads: {e}"))
        })
}

/// A listener and the address it got.
pub struct Bound {
    listener: TcpListener,
    /// With the real port.
    pub address: SocketAddr,
}

/// Takes the address; the port is asked for before anything long begins.
pub fn bind(runtime: &Runtime, listen: SocketAddr) -> Result<Bound, Complaint> {
    let taken = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AddrInUse => Complaint::new(
            format!(
                "端口 {} 已被占用。请停掉占用它的程序，或用 --listen 换一个（端口 0 为任选）",
                listen.port()
            ),
            format!("port {} is taken; stop what uses it or choose another with --listen", listen.port()),
        ),
        _ => Complaint::new(
            format!("不能监听 {listen}：{e}。请检查 --listen 的地址，1024 以下的端口需要管理员权限"),
            format!("cannot listen on {listen} ({e}); check --listen, ports below 1024 need rights"),
        ),
    };
    let listener = signals::listen(runtime, listen).map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    Ok(Bound { listener, address })
}

/// Serves until a signal comes; then stops accepting, finishes what is under way, seals and closes the store.
///
/// `then` is called once the server answers, to start what drives it from outside.
pub fn serve(
    runtime: Runtime,
    opened: Opened,
    (bound, listeners): (Bound, Listeners),
    (gateway, demo): (Option<Gateway>, Option<Demo>),
    then: impl FnOnce(&Runtime),
) -> Result<ExitCode, Complaint> {
    let no_thread = |e: std::io::Error| Complaint::file("thread".as_ref(), &e);
    let sealer = sealer(opened.store.clone(), opened.seals.clone()).map_err(no_thread)?;
    let importer = imports::spawn_worker(opened.store.clone(), Arc::new(outside::now));
    // Before any ladder is climbed it is known whether somebody can be called, and before any device is looked for, when
    // this server began to listen.
    let hand = gateway.map(|gateway| gateway.hand(runtime.handle().clone()));
    let caller = reaches::watch(opened.store.clone(), Arc::new(outside::now), hand)?;
    let workers = [
        incidents::watch(opened.store.clone(), Arc::new(outside::now))?,
        ringer(opened.store.clone()).map_err(no_thread)?,
        worker::watch(opened.store.clone(), Arc::new(outside::now)).map_err(no_thread)?,
    ];
    let (served, keeper) = {
        let _inside = runtime.enter();
        let app = App::new(opened.store.clone(), outside::now, outside::random, demo);
        let keeper = signals::start(&app, &opened, listeners)?;
        let asked = asked_to_end()?;
        let ready = format!("ready http://{}", bound.address);
        let serving = runtime.spawn(http::serve(app, bound.listener, asked));
        writeln!(std::io::stdout(), "{ready}").map_err(|e| Complaint::file("stdout".as_ref(), &e))?;
        then(&runtime);
        (runtime.block_on(serving), keeper)
    };
    tracing::info!("closing");
    // It speaks on this runtime.
    drop(caller);
    runtime.shutdown_timeout(Duration::from_secs(2));
    // Nothing more comes in; what was gathered is written.
    drop(keeper);
    // Between two chunks; the next start goes on.
    drop(importer);
    drop(workers);
    // Last, so that it seals what they did.
    drop(sealer);
    drop(opened);
    match served {
        Ok(Ok(())) => Ok(ExitCode::SUCCESS),
        Ok(Err(e)) => Err(Complaint::new(format!("服务中断：{e}"), format!("serving stopped: {e}"))),
        Err(e) => Err(Complaint::new(format!("服务中断：{e}"), format!("serving stopped: {e}"))),
    }
}

/// The worker that asks carers to take urgent orders.
fn ringer(store: Store) -> std::io::Result<Repeating> {
    Repeating::start("urgent", RING_EVERY, move |_| match urgent::ring_all(&store, outside::now()) {
        Ok(0) => {}
        Ok(changed) => tracing::debug!(changed, "urgent orders"),
        Err(fault) => tracing::error!(%fault, "urgent orders"),
    })
}

/// The worker that seals the evidence log.
fn sealer(store: Store, seals: SealFile) -> std::io::Result<Repeating> {
    Repeating::start("sealer", SEAL_EVERY, move |_| match evidence::seal(&store, &seals, outside::now()) {
        Ok(sealing) if sealing.rows > 0 => tracing::debug!(rows = sealing.rows, "sealed"),
        Ok(_) => {}
        Err(fault) => tracing::error!(%fault, "sealing"),
    })
}

/// Resolves when somebody asks the process to end.
fn asked_to_end() -> Result<impl Future<Output = ()> + Send, Complaint> {
    let listen = |kind| {
        tokio::signal::unix::signal(kind).map_err(|e| {
            Complaint::new(format!("不能接收信号：{e}"), format!("cannot listen for signals: {e}"))
        })
    };
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
