//! A small HTTP client that keeps its connection: the way in for everything the simulated city does.

use std::{net::SocketAddr, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A server that takes longer than this is not one a telephone system would wait for.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Somebody with a token, talking to the server.
#[derive(Debug)]
pub(super) struct Client {
    address: SocketAddr,
    /// Header and value by which the server knows who asks.
    shown: (header::HeaderName, String),
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// What the server said.
#[derive(Debug)]
pub(super) struct Said {
    /// HTTP status.
    pub(super) status: u16,
    /// The body; null when there was none.
    pub(super) body: Value,
}

impl Said {
    /// The command was done.
    pub(super) fn good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A field of the body that is text.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field)?.as_str()
    }
}

/// The server could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientFault {
    /// No connection.
    #[error("connecting: {0}")]
    Connect(#[from] std::io::Error),
    /// The connection broke.
    #[error("asking: {0}")]
    Http(#[from] hyper::Error),
    /// The answer is no JSON.
    #[error("the answer is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It took too long.
    #[error("no answer within {} seconds", ANSWER_WITHIN.as_secs())]
    Slow,
}

impl Client {
    /// A program with its token.
    pub(super) fn with_token(address: SocketAddr, token: &str) -> Client {
        Client { address, shown: (header::AUTHORIZATION, format!("Bearer {token}")), connection: None }
    }

    /// Somebody who is signed in.
    pub(super) fn with_session(address: SocketAddr, session: &str) -> Client {
        Client { address, shown: (header::COOKIE, format!("xiyang_session={session}")), connection: None }
    }

    pub(super) async fn get(&mut self, path: &str) -> Result<Said, ClientFault> {
        self.ask(Method::GET, path, None, None).await
    }

    /// A command; the key makes sure that it happens once even if it is asked again.
    pub(super) async fn post(&mut self, path: &str, key: &str, body: &Value) -> Result<Said, ClientFault> {
        self.ask(Method::POST, path, Some(key), Some(body)).await
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Said, ClientFault> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(&self.shown.0, &self.shown.1)
            .header(header::ACCEPT, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let bytes = match body {
            None => Bytes::new(),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(serde_json::to_vec(body)?)
            }
        };
        let request = request.body(Full::new(bytes)).expect("paths and keys are made of plain characters");
        let said =
            tokio::time::timeout(ANSWER_WITHIN, self.send(request)).await.unwrap_or(Err(ClientFault::Slow));
        if said.is_err() {
            self.connection = None;
        }
        said
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Said, ClientFault> {
        // A kept connection may have been closed by the server meanwhile.
        let kept = match self.connection.take() {
            Some(mut kept) => kept.ready().await.is_ok().then_some(kept),
            None => None,
        };
        let connection = match kept {
            Some(kept) => kept,
            None => connect(self.address).await?,
        };
        let answer = self.connection.insert(connection).send_request(request).await?;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await?.to_bytes();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? };
        Ok(Said { status, body })
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, ClientFault> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // The end of a connection is seen by the next request on it.
        let _ = connection.await;
    });
    sender.ready().await?;
    Ok(sender)
}
