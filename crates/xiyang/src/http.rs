//! The door for people and programs: connections in, requests to the router, and bounds on what a stranger may hold.
//!
//! Devices have their doors in the same process. Whoever opens connections here and says nothing, or half a request,
//! must never take the descriptors an alarm needs.

use std::{future::Future, io, sync::Arc, time::Duration};

use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore, time::Instant};
use tower::Layer as _;
use tower_http::timeout::RequestBodyTimeoutLayer;
use web::App;

/// From the first byte of a request, or the end of the last one, to the end of its head. More than the minute for which
/// usual proxies keep a connection they do not need.
const HEAD_WITHIN: Duration = Duration::from_secs(75);
/// Between two pieces of a body.
const BODY_WITHIN: Duration = Duration::from_secs(60);
/// How long requests under way may take to finish when the server ends.
const FINISH_WITHIN: Duration = Duration::from_secs(10);
/// Before what was sent must have arrived.
const READ_WITHIN: Duration = Duration::from_secs(120);
/// After a connection could not be taken.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is told that connections cannot be taken.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Serves until somebody asks it to end, then lets requests under way finish.
pub(crate) async fn serve(
    app: App,
    listener: TcpListener,
    asked: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(connections_max()));
    let service = RequestBodyTimeoutLayer::new(BODY_WITHIN).layer(web::router(app.clone()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let graceful = GracefulShutdown::new();
    let mut told: Option<Instant> = None;
    tokio::pin!(asked);
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((listener.accept().await?.0, place))
        };
        let next = tokio::select! {
            next = next => next,
            () = &mut asked => break,
        };
        let (stream, place) = match next {
            Ok(taken) => taken,
            Err(error) => {
                if told.is_none_or(|at| at.elapsed() > TELL_EVERY) {
                    tracing::error!(%error, "connections cannot be taken");
                    told = Some(Instant::now());
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Answers are small and wait for nothing more to send; who does not read them is not waited for.
        let _ = stream.set_nodelay(true);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, READ_WITHIN.as_millis() as u32);
        let service = TowerToHyperService::new(service.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection");
            }
            drop(place);
        });
    }
    app.live().end();
    drop(listener);
    if tokio::time::timeout(FINISH_WITHIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    Ok(())
}

/// Lets this process open as many files as the system allows it; half of them are for connections here, the rest for
/// devices and the database.
fn connections_max() -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(1 << 20);
    usize::try_from(files / 2).unwrap_or(usize::MAX).clamp(16, Semaphore::MAX_PERMITS)
}
